// SPDX-License-Identifier: MIT
// The shared library of a Python, and what it needs. The engine is not linked to one: it would be
// the builder's.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/python_home.h"

namespace stemlane {

/// What is loaded to embed a Python.
struct PythonLibrary {
  std::filesystem::path library;                  ///< empty if this Python is a program only, as many are
  std::vector<std::filesystem::path> companions;  ///< what it and its modules need and brings along
};

/// The shared library that belongs to `home`, of the version that this engine is built for.
PythonLibrary find_library(const PythonHome& home);

/// Loads it for all that is loaded later (Python's modules look their symbols up globally). False,
/// with the loader's reason in `error`, if it or a companion is damaged.
bool load_library(const PythonLibrary& library, std::string& error);

}  // namespace stemlane
