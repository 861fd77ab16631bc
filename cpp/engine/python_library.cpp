// SPDX-License-Identifier: MIT
// Folders of libpython as CPython and Debian install it.
#include "engine/python_library.h"

#include "platform/library.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

// As CPython calls it, of the version of the headers.
constexpr const char* kLibrary = STEMLANE_PYTHON_LIBRARY;

// bin/python3 and lib/, with libpython and its companions and nothing else.
PythonLibrary in_bundle(const fs::path& executable) {
  PythonLibrary found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(executable.parent_path().parent_path() / "lib", ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == kLibrary)
      found.library = entry.path();
    else if (name.find(".so") != std::string::npos)
      found.companions.push_back(entry.path());
  }
  return found;
}

}  // namespace

PythonLibrary find_library(const PythonHome& home) {
  if (home.is_self_contained) return in_bundle(home.executable);
  // Beside the executable that a link of an environment leads to. Any other libpython of the same
  // version would be a different build with a different standard library.
  std::error_code ignored;
  const fs::path prefix = fs::weakly_canonical(home.executable, ignored).parent_path().parent_path();
  for (const char* folder : {"lib", "lib64", "lib/" STEMLANE_LIBRARY_ARCHITECTURE})
    if (fs::path library = prefix / folder / kLibrary; fs::exists(library, ignored)) return {library, {}};
  return {};
}

bool load_library(const PythonLibrary& library, std::string& error) {
  // Once they are loaded, the loader takes them for whoever needs them by name.
  for (const auto& companion : library.companions)
    if (open_library(companion, true, error) == nullptr) return false;
  return open_library(library.library, true, error) != nullptr;
}

}  // namespace stemlane
