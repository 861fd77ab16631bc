// SPDX-License-Identifier: MIT
// Finds the Python that the engine is to run, from where the engine itself lies, and loads it
// if it is a library. The engine is not linked to one: it would be the builder's.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stemlane {

/// A Python to run. `executable` decides about the standard library and the installed
/// packages (a virtual environment's own included); `extra_paths` come first.
struct PythonHome {
  std::filesystem::path executable;
  std::vector<std::filesystem::path> extra_paths;
  std::string found_by;           ///< how it was found, for messages
  std::filesystem::path library;  ///< its shared library; empty if this Python is a program only
  /// Libraries that `library` and its modules need and that come with it.
  std::vector<std::filesystem::path> companions;
};

/// Looks, in this order, in the bundle (`Contents/Resources/python`), in the environment
/// whose site-packages hold the bundle, in `engine.conf` (in the bundle's Resources, then
/// in the user's configuration folder), and in STEMLANE_PYTHON. Returns nothing and fills
/// `error` with the reason and the remedy if none of them names a Python that exists.
std::optional<PythonHome> find_python(const std::filesystem::path& engine_executable, std::string& error);

/// The Python in `folder`, laid out as `stemlane plugin bundle` does: bin/python3, lib/libpython*.
PythonHome python_of_bundle(const std::filesystem::path& folder);

/// Loads `home.library` for all that is loaded later (Python's modules look their symbols up
/// globally). False, with the loader's reason in `error`, if it or a companion is damaged.
bool load_python(const PythonHome& home, std::string& error);

}  // namespace stemlane
