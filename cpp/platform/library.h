// SPDX-License-Identifier: MIT
// Shared libraries: by their path, never by a name that a system looks for in folders of others.
#pragma once

#include <filesystem>
#include <string>

namespace stemlane {

/// Loads the library at `path`, an absolute one, for good, with what lies beside it before anything of the
/// same name elsewhere. With `is_global`, what is loaded later finds its symbols, where a system knows such
/// a thing. Null, with the system's reason in `error`, if it is missing or damaged.
void* open_library(const std::filesystem::path& path, bool is_global, std::string& error);

/// Null if `library` has no such function.
void* function_of(void* library, const char* name) noexcept;

/// The file of the library or program that `address` lies in, as the system knows it: perhaps relative or
/// through links. Empty if it knows none.
std::filesystem::path binary_around(const void* address);

}  // namespace stemlane
