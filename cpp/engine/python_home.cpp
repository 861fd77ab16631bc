// SPDX-License-Identifier: MIT
// The order of the places is part of the contract; see python_home.h.
#include "engine/python_home.h"

#include <dlfcn.h>

#include <cstdlib>
#include <fstream>

namespace stemlane {
namespace {

namespace fs = std::filesystem;

// As CPython calls it since 3.2; STEMLANE_PYTHON_VERSION is that of the headers, "3.11".
constexpr const char* kLibrary = "libpython" STEMLANE_PYTHON_VERSION ".so.1.0";

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// <bundle>/Contents/<architecture>/stemlane-engine
fs::path contents_of(const fs::path& engine) {
  return engine.parent_path().parent_path();
}

// The shared library that belongs to a Python's executable, if it has one. Any other
// libpython of the same version would be a different build with a different standard library.
fs::path library_of(const fs::path& executable) {
  std::error_code ignored;
  const fs::path prefix = fs::weakly_canonical(executable, ignored).parent_path().parent_path();
  for (const char* folder : {"lib", "lib64", "lib/" STEMLANE_LIBRARY_ARCHITECTURE})
    if (fs::path library = prefix / folder / kLibrary; is_there(library)) return library;
  return {};
}

PythonHome installed_python(const fs::path& executable, std::vector<fs::path> extra_paths,
                            std::string found_by) {
  return PythonHome{executable, std::move(extra_paths), std::move(found_by), library_of(executable), {}};
}

std::optional<PythonHome> in_bundle(const fs::path& engine) {
  const fs::path folder = contents_of(engine) / "Resources" / "python";
  if (!is_there(folder / "bin" / "python3")) return std::nullopt;
  return python_of_bundle(folder);
}

// The interpreter in the first line of a script, for packages of `pip install --user`: their
// prefix, ~/.local, has scripts but no Python.
fs::path interpreter_of(const fs::path& script) {
  std::ifstream input(script);
  std::string line;
  if (!std::getline(input, line) || !line.starts_with("#!/")) return {};
  return line.substr(2);
}

// .../<prefix>/lib/pythonX.Y/site-packages/stemlane/Stemlane.vst3/Contents/<architecture>/
std::optional<PythonHome> around_bundle(const fs::path& engine) {
  for (fs::path folder = contents_of(engine); folder.has_relative_path(); folder = folder.parent_path()) {
    const std::string name = folder.filename().string();
    if (name != "site-packages" && name != "dist-packages") continue;
    const std::string version = folder.parent_path().filename().string();
    const fs::path prefix = folder.parent_path().parent_path().parent_path();
    // Debian keeps packages of /usr in /usr/lib/python3/dist-packages and /usr/local.
    for (const fs::path& python :
         {prefix / "bin" / version, prefix / "bin" / "python3", interpreter_of(prefix / "bin" / "stemlane"),
          fs::path("/usr/bin") / version, fs::path("/usr/bin/python3")})
      if (!python.empty() && is_there(python))
        return installed_python(python, {folder}, "the environment around the plugin");
  }
  return std::nullopt;
}

fs::path user_configuration() {
  if (const char* folder = std::getenv("XDG_CONFIG_HOME"); folder != nullptr && *folder != '\0')
    return fs::path(folder) / "stemlane" / "engine.conf";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
    return fs::path(home) / ".config" / "stemlane" / "engine.conf";
  return {};
}

// The value of `python=` in a configuration file.
fs::path configured_python(const fs::path& file) {
  std::ifstream input(file);
  constexpr std::string_view kKey = "python=";
  for (std::string line; std::getline(input, line);)
    if (line.starts_with(kKey)) return fs::path(line.substr(kKey.size()));
  return {};
}

bool load(const fs::path& library, std::string& error) {
  if (dlopen(library.c_str(), RTLD_NOW | RTLD_GLOBAL) != nullptr) return true;
  error = dlerror();
  return false;
}

}  // namespace

PythonHome python_of_bundle(const fs::path& folder) {
  PythonHome home{folder / "bin" / "python3", {}, "the bundle", {}, {}};
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder / "lib", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == kLibrary)
      home.library = entry.path();
    else if (name.find(".so") != std::string::npos)
      home.companions.push_back(entry.path());
  }
  return home;
}

bool load_python(const PythonHome& home, std::string& error) {
  // Once they are loaded, the loader takes them for whoever needs them by name.
  for (const auto& companion : home.companions)
    if (!load(companion, error)) return false;
  return load(home.library, error);
}

std::optional<PythonHome> find_python(const fs::path& engine_executable, std::string& error) {
  if (auto home = in_bundle(engine_executable)) return home;
  if (auto home = around_bundle(engine_executable)) return home;

  const fs::path own_file = contents_of(engine_executable) / "Resources" / "engine.conf";
  for (const fs::path& file : {own_file, user_configuration()}) {
    const fs::path python = configured_python(file);
    if (python.empty()) continue;
    if (is_there(python)) return installed_python(python, {}, file.string());
    error = "no Python at " + python.string() + " (named in " + file.string() +
            "); run 'stemlane plugin install' again";
    return std::nullopt;
  }
  if (const char* python = std::getenv("STEMLANE_PYTHON"); python != nullptr && *python != '\0') {
    if (is_there(python)) return installed_python(python, {}, "STEMLANE_PYTHON");
    error = std::string("no Python at ") + python + " (named in STEMLANE_PYTHON)";
    return std::nullopt;
  }
  error = "no Python for the engine was found; run 'stemlane plugin install', or set STEMLANE_PYTHON";
  return std::nullopt;
}

}  // namespace stemlane
