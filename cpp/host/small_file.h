// SPDX-License-Identifier: MIT
// Reads short configuration files whole. Not for the audio thread.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>

namespace stemlane {

/// The content of a regular file, or of its first `max_bytes`; empty if there is none or it is something
/// else: a pipe would be waited for, and a device has no end.
inline std::string read_small_file(const std::filesystem::path& path, std::size_t max_bytes) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return {};
  std::ifstream file(path, std::ios::binary);
  std::string content(max_bytes, '\0');
  file.read(content.data(), static_cast<std::streamsize>(max_bytes));
  content.resize(static_cast<std::size_t>(file.gcount()));
  return content;
}

}  // namespace stemlane
