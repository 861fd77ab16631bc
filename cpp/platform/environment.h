// SPDX-License-Identifier: MIT
// Variables of the environment, and the user's home.
#pragma once

#include <filesystem>

namespace stemlane {

/// The path that a variable holds, relative or not; empty if it is not set.
std::filesystem::path environment_path(const char* name);

/// Sets a variable for this process and its children, unless it is set. Before there are threads.
void set_environment_default(const char* name, const char* value);

/// The user's home folder; empty if there is none.
std::filesystem::path home_folder();

}  // namespace stemlane
