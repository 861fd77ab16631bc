// SPDX-License-Identifier: MIT
// The engine's executable: finds the Python to run and runs the engine in it. A Python that is a
// shared library is embedded. One that is a program only, as many are, is executed in our place
// and loads the engine.
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine_entry.h"
#include "engine/python_home.h"
#include "engine/python_library.h"
#include "host/out_of_memory.h"
#include "link/host_link.h"
#include "platform/environment.h"
#include "platform/library.h"
#include "platform/process.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

// Beside this executable.
constexpr const char* kEngineLibrary = STEMLANE_ENGINE_LIBRARY;

constexpr const char* kRunInPython =
    "import ctypes, os, sys\n"
    "entry = getattr(ctypes.PyDLL(sys.argv[1]), sys.argv[2])\n"
    "os._exit(entry(None, *map(os.fsencode, sys.argv[3:5])))\n";

// After it come the folder of the packages, or nothing; the descriptor whose end tells of the host's, or -1;
// and the command's arguments.
constexpr const char* kRunCommand =
    "import sys\n"
    "if sys.argv[1]:\n"
    "    sys.path.insert(0, sys.argv[1])\n"
    "from stemlane.cli.host_watch import end_with_host\n"
    "end_with_host(int(sys.argv[2]))\n"
    "from stemlane.cli.main import main\n"
    "sys.exit(main(sys.argv[3:]))\n";

std::runtime_error not_usable(const PythonHome& home, const std::string& reason) {
  return std::runtime_error("Python from " + home.found_by + " does not start: " + reason +
                            "; run 'stemlane plugin install' again");
}

int embed(const PythonHome& home, const PythonLibrary& python, const fs::path& library,
          const char* entry_name, const std::string& packages) {
  std::string error;
  if (!load_library(python, error)) throw not_usable(home, error);
  void* const engine = open_library(library, false, error);
  void* const entry = engine != nullptr ? function_of(engine, entry_name) : nullptr;
  if (entry == nullptr)
    throw not_usable(home, error.empty() ? std::string(kEngineLibrary) + " is of another version" : error);
  return reinterpret_cast<EngineEntry>(entry)(text_of(home.executable).c_str(), packages.c_str(),
                                              home.found_by.c_str());
}

// Runs a script in the Python's program. Returns only to throw.
[[noreturn]] void execute(const PythonHome& home, const PythonLibrary& python, const char* script,
                          const std::vector<std::string>& arguments) {
  // A program cannot be given its libraries before it starts, only be told where they are.
  const fs::path folder = python.companions.empty() ? fs::path() : python.companions.front().parent_path();
  std::vector<std::string> all = {"-I", "-X", "utf8", "-c", script};
  all.insert(all.end(), arguments.begin(), arguments.end());
  throw not_usable(home, become(home.executable, all, folder));
}

PythonHome python_home(const fs::path& self) {
  std::string error;
  auto home = find_python(self, error);
  if (!home) throw std::runtime_error(error);
  return *home;
}

std::string packages_of(const PythonHome& home) {
  return home.extra_paths.empty() ? "" : text_of(home.extra_paths.front());
}

// Runs the command line in our place, as `stemlane ARGUMENTS` would; the plugin's way to it.
[[noreturn]] void run_command(const std::vector<std::string>& arguments) {
  const PythonHome home = python_home(executable_path());
  std::vector<std::string> all = {packages_of(home), std::to_string(parent_descriptor())};
  all.insert(all.end(), arguments.begin(), arguments.end());
  execute(home, find_library(home), kRunCommand, all);
}

int run(const char* entry_name) {
  // Some of Python's libraries end the process where others report an error.
  if (!can_map(kLeastEngineBytes)) throw std::bad_alloc();
  set_environment_default("OPENBLAS_NUM_THREADS",
                          "1");  // one thread computes; numpy would start one for every core
  const fs::path self = executable_path();
  const PythonHome home = python_home(self);
  const fs::path library = self.parent_path() / kEngineLibrary;
  const std::string packages = packages_of(home);
  const PythonLibrary python = find_library(home);
  if (python.library.empty())
    execute(home, python, kRunInPython, {text_of(library), entry_name, packages, home.found_by});
  return embed(home, python, library, entry_name, packages);
}

}  // namespace
}  // namespace stemlane

int main(int count, char** vector) {
  const std::vector<std::string> arguments = stemlane::arguments_of_main(count, vector);
  const bool check = arguments.size() == 1 && arguments.front() == "--check";
  const bool command = !arguments.empty() && arguments.front() == "--command";
  const auto report = [prints = check || command](std::string_view text) {
    if (prints)
      std::fprintf(stderr, "stemlane: %.*s\n", static_cast<int>(text.size()), text.data());
    else
      stemlane::HostLink().send_status(stemlane::EngineState::failed, text);
  };
  if (!check) {
    if (!command && !stemlane::is_child_process()) {
      std::fputs(
          "stemlane-engine is started by the Stemlane plugin; by hand, 'stemlane-engine --check' tries it, "
          "and "
          "'stemlane-engine --command ARGUMENTS' runs a command of stemlane\n",
          stderr);
      return 2;
    }
    if (stemlane::is_child_process()) stemlane::bind_to_parent();
    stemlane::be_first_when_out_of_memory();
  }
  // `_exit`: nothing that was loaded is taken down; third-party modules do not survive that.
  try {
    std::string said;
    try {
      if (command) stemlane::run_command({arguments.begin() + 1, arguments.end()});
      std::_Exit(stemlane::run(check ? stemlane::kCheck : stemlane::kServe));
    } catch (const std::exception& error) {
      said = error.what();
    }
    if (stemlane::is_out_of_memory(said)) said = stemlane::out_of_memory_text(said);
    report(said);
  } catch (...) {  // not even enough memory to say what it was
    report("there is not enough memory for the engine: close other programs");
  }
  std::_Exit(1);
}
