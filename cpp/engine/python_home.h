// SPDX-License-Identifier: MIT
// Finds the Python that the engine is to run, from where the engine itself lies.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace stemlane {

/// A Python to embed. `executable` decides about the standard library and the installed
/// packages (a virtual environment's own included); `extra_paths` come first. Whether it is a
/// library or a program is python_library.h's business.
struct PythonHome {
  std::filesystem::path executable;
  std::vector<std::filesystem::path> extra_paths;
  std::string found_by;            ///< how it was found, for messages
  bool is_self_contained = false;  ///< the bundle's own: laid out as `stemlane plugin bundle` does
};

/// Looks, in this order, in the bundle (`Contents/Resources/python`), in the environment
/// whose site-packages hold the bundle, in `engine.conf` (in the bundle's Resources, then
/// in the user's configuration folder), and in STEMLANE_PYTHON. Returns nothing and fills
/// `error` with the reason and the remedy if none of them names a Python that exists.
std::optional<PythonHome> find_python(const std::filesystem::path& engine_executable, std::string& error);

}  // namespace stemlane
