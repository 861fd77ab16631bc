// SPDX-License-Identifier: MIT
// The order of the places is part of the contract; see python_home.h.
#include "engine/python_home.h"

#include <algorithm>

#include "host/small_file.h"
#include "host/user_folders.h"
#include "platform/environment.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxConfigurationBytes = 1 << 16;
constexpr std::size_t kMaxPathBytes = 4096;  // of Linux

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
  const std::string text = read_small_file(script, kMaxConfigurationBytes);
  if (!text.starts_with("#!/")) return {};
  return text.substr(2, std::min(text.find('\n'), kMaxPathBytes) - 2);
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

fs::path user_configuration() {
  const fs::path folder = user_folder(contract::kUserConfig);
  return folder.empty() ? folder : folder / contract::kEngineConfigurationFile;
}

}  // namespace

std::string configured_python(std::string_view text) {
  constexpr std::string_view kKey = contract::kPythonKey;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.starts_with(kKey)) continue;
    line.remove_prefix(kKey.size());
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    const bool plain = std::none_of(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; });
    return plain && line.size() <= kMaxPathBytes ? std::string(line) : std::string();
  }
  return {};
}

std::optional<PythonHome> find_python(const fs::path& engine_executable, std::string& error) {
  if (auto home = in_bundle(engine_executable)) return home;
  if (auto home = around_bundle(engine_executable)) return home;

  const fs::path own_file = contents_of(engine_executable) / "Resources" / contract::kEngineConfigurationFile;
  for (const fs::path& file : {own_file, user_configuration()}) {
    const fs::path python = path_of(configured_python(read_small_file(file, kMaxConfigurationBytes)));
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
