// SPDX-License-Identifier: MIT
// The order of the places is part of the contract; see python_home.h.
#include "engine/python_home.h"

#include <algorithm>

#include "core/contract.h"
#include "host/engine_configuration.h"
#include "host/small_file.h"
#include "platform/environment.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

// <bundle>/Contents/<architecture>/stemlane-engine
fs::path contents_of(const fs::path& engine) {
  return engine.parent_path().parent_path();
}

std::optional<PythonHome> in_bundle(const fs::path& engine) {
  const fs::path python = contents_of(engine) / "Resources" / "python" / "bin" / "python3";
  if (!is_there(python)) return std::nullopt;
  return PythonHome{python, {}, "the bundle", true};
}

// The interpreter in the first line of a script, for packages of `pip install --user`: their
// prefix, ~/.local, has scripts but no Python.
fs::path interpreter_of(const fs::path& script) {
  const std::string text = read_small_file(script, contract::kLongestConfigurationBytes);
  if (!text.starts_with("#!/")) return {};
  constexpr std::size_t kLongest = contract::kLongestConfigurationValue;
  return text.substr(2, std::min(text.find('\n'), kLongest) - 2);
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
        return PythonHome{python, {folder}, "the environment around the plugin"};
  }
  return std::nullopt;
}

}  // namespace

std::optional<PythonHome> find_python(const fs::path& engine_executable, std::string& error) {
  if (auto home = in_bundle(engine_executable)) return home;
  if (auto home = around_bundle(engine_executable)) return home;

  const fs::path own_file = contents_of(engine_executable) / "Resources" / contract::kEngineConfigurationFile;
  for (const fs::path& file : {own_file, user_engine_configuration()}) {
    const fs::path python = path_of(configured_in(file, contract::kPythonKey));
    if (python.empty()) continue;
    if (is_there(python)) return PythonHome{python, {}, text_of(file)};
    error = "no Python at " + text_of(python) + " (named in " + text_of(file) +
            "); run 'stemlane plugin install' again";
    return std::nullopt;
  }
  if (const fs::path python = environment_path("STEMLANE_PYTHON"); !python.empty()) {
    if (is_there(python)) return PythonHome{python, {}, "STEMLANE_PYTHON"};
    error = "no Python at " + text_of(python) + " (named in STEMLANE_PYTHON)";
    return std::nullopt;
  }
  error = "no Python for the engine was found; run 'stemlane plugin install', or set STEMLANE_PYTHON";
  return std::nullopt;
}

}  // namespace stemlane
