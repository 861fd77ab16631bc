// SPDX-License-Identifier: MIT
// The order of the places is part of the contract; see python_home.h.
#include "engine/python_home.h"

#include "core/contract.h"
#include "engine/python_layout.h"
#include "host/engine_configuration.h"
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
  const fs::path python =
      contents_of(engine) / "Resources" / fs::path(contract::kBundledPython).make_preferred();
  if (!is_there(python)) return std::nullopt;
  return PythonHome{python, {}, "the bundle", true};
}

// .../site-packages/stemlane/Stemlane.vst3/Contents/<architecture>/
std::optional<PythonHome> around_bundle(const fs::path& engine) {
  for (fs::path folder = contents_of(engine); folder.has_relative_path(); folder = folder.parent_path()) {
    const fs::path name = folder.filename();
    if (name != "site-packages" && name != "dist-packages") continue;
    for (const fs::path& python : pythons_around(folder))
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
