// SPDX-License-Identifier: MIT
// What a process is started with: variables of the environment, arguments, the user's home.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace stemlane {

/// The path that a variable holds, relative or not; empty if it is not set.
std::filesystem::path environment_path(const char* name);

/// Sets a variable for this process and its children, unless it is set. Before there are threads.
void set_environment_default(const char* name, const char* value);

/// The arguments of this process without its name, in UTF-8; takes those of `main`, which are not on Windows.
std::vector<std::string> arguments_of_main(int count, char** arguments);

/// The user's home folder; empty if there is none.
std::filesystem::path home_folder();

}  // namespace stemlane
