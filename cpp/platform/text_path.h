// SPDX-License-Identifier: MIT
// Paths as text: UTF-8 everywhere in this project, where std::filesystem takes it for the system's own
// encoding on Windows.
#pragma once

#include <filesystem>
#include <string>

namespace stemlane {

inline std::filesystem::path path_of(const std::string& utf8) {
  return std::u8string(utf8.begin(), utf8.end());
}

inline std::string text_of(const std::filesystem::path& path) {
  const std::u8string utf8 = path.u8string();
  return {utf8.begin(), utf8.end()};
}

}  // namespace stemlane
