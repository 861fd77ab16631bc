// SPDX-License-Identifier: MIT
// What lies where in a Python of this system, as CPython's installers and Debian leave it.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace stemlane {

/// The Pythons that a folder of packages may belong to, likeliest first; they need not be there.
std::vector<std::filesystem::path> pythons_around(const std::filesystem::path& packages);

/// Where the shared library of an installed Python may lie.
std::vector<std::filesystem::path> library_folders(const std::filesystem::path& executable);

/// The one folder of a self-contained bundle with the shared library of its Python.
std::filesystem::path bundled_library_folder(const std::filesystem::path& executable);

/// True for a library in that folder that has to be loaded before Python's modules ask for it by name.
bool is_companion(std::string_view file_name);

}  // namespace stemlane
