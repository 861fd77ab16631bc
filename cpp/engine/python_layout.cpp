// SPDX-License-Identifier: MIT
// See python_layout.h.
#include "engine/python_layout.h"

#include <algorithm>
#include <string>

#include "core/contract.h"
#include "host/small_file.h"
#include "platform/text_path.h"

namespace stemlane {

namespace fs = std::filesystem;

#ifdef _WIN32

std::vector<fs::path> pythons_around(const fs::path& packages) {
  const fs::path prefix = packages.parent_path().parent_path();  // of Lib/site-packages
  return {prefix / "Scripts" / "python.exe", prefix / "python.exe"};
}

std::vector<fs::path> library_folders(const fs::path& executable) {
  // An environment's own executable has no library beside it: it is executed.
  return {executable.parent_path()};
}

fs::path bundled_library_folder(const fs::path& executable) {
  return executable.parent_path();
}

bool is_companion(std::string_view file_name) {
  // Microsoft's run time. Modules are looked for beside themselves and the program, which is the engine.
  return file_name.starts_with("msvcp") || file_name.starts_with("vcruntime");
}

#else

namespace {

// The interpreter in the first line of a script, for packages of `pip install --user`: their
// prefix, ~/.local, has scripts but no Python.
fs::path interpreter_of(const fs::path& script) {
  const std::string text = read_small_file(script, contract::kLongestConfigurationBytes);
  if (!text.starts_with("#!/")) return {};
  constexpr std::size_t kLongest = contract::kLongestConfigurationValue;
  return text.substr(2, std::min(text.find('\n'), kLongest) - 2);
}

}  // namespace

std::vector<fs::path> pythons_around(const fs::path& packages) {
  const fs::path version = packages.parent_path().filename();
  const fs::path prefix =
      packages.parent_path().parent_path().parent_path();  // of lib/pythonX.Y/site-packages
  // Debian keeps packages of /usr in /usr/lib/python3/dist-packages and /usr/local.
  return {prefix / "bin" / version, prefix / "bin" / "python3", interpreter_of(prefix / "bin" / "stemlane"),
          "/usr/bin" / version, "/usr/bin/python3"};
}

std::vector<fs::path> library_folders(const fs::path& executable) {
  const fs::path prefix = executable.parent_path().parent_path();
  return {prefix / "lib", prefix / "lib64", prefix / "lib" / STEMLANE_LIBRARY_ARCHITECTURE};
}

fs::path bundled_library_folder(const fs::path& executable) {
  return executable.parent_path().parent_path() / "lib";
}

bool is_companion(std::string_view file_name) {
  return file_name.find(".so") != std::string_view::npos;
}

#endif

}  // namespace stemlane
