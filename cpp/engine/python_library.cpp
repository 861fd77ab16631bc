// SPDX-License-Identifier: MIT
// See python_library.h.
#include "engine/python_library.h"

#include "engine/python_layout.h"
#include "platform/library.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

// As CPython calls it, of the version of the headers.
constexpr const char* kLibrary = STEMLANE_PYTHON_LIBRARY;

PythonLibrary in_bundle(const fs::path& executable) {
  PythonLibrary found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(bundled_library_folder(executable), ignored)) {
    const std::string name = text_of(entry.path().filename());
    if (name == kLibrary)
      found.library = entry.path();
    else if (is_companion(name))
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
  for (const fs::path& folder : library_folders(fs::weakly_canonical(home.executable, ignored)))
    if (fs::path library = folder / kLibrary; fs::exists(library, ignored)) return {library, {}};
  return {};
}

bool load_library(const PythonLibrary& library, std::string& error) {
  // Once they are loaded, the loader takes them for whoever needs them by name.
  for (const auto& companion : library.companions)
    if (open_library(companion, true, error) == nullptr) return false;
  return open_library(library.library, true, error) != nullptr;
}

}  // namespace stemlane
