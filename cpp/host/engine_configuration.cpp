// SPDX-License-Identifier: MIT
// See engine_configuration.h.
#include "host/engine_configuration.h"

#include <algorithm>
#include <fstream>
#include <system_error>

#include "host/small_file.h"
#include "host/user_folders.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

/// Takes the first line off `text`, with what ends it.
std::string_view take_line(std::string_view& text) {
  const std::string_view line = text.substr(0, std::min(text.find('\n'), text.size() - 1) + 1);
  text.remove_prefix(line.size());
  return line;
}

}  // namespace

fs::path user_engine_configuration() {
  const fs::path folder = user_folder(contract::kUserConfig);
  return folder.empty() ? folder : folder / contract::kEngineConfigurationFile;
}

std::string configured(std::string_view text, std::string_view key) {
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with(key)) continue;
    line.remove_prefix(key.size());
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    const bool plain = std::none_of(line.begin(), line.end(), [](char c) { return c >= 0 && c < ' '; });
    return plain && line.size() <= contract::kLongestConfigurationValue ? std::string(line) : std::string();
  }
  return {};
}

std::string configured_in(const fs::path& file, std::string_view key) {
  return configured(read_small_file(file, contract::kLongestConfigurationBytes), key);
}

std::string with_setting(std::string_view text, std::string_view key, std::string_view value) {
  std::string changed;
  while (!text.empty()) {
    const std::string_view line = take_line(text);
    if (!line.starts_with(key)) changed += line;
  }
  if (value.empty()) return changed;
  if (!changed.empty() && !changed.ends_with('\n')) changed += '\n';
  return changed.append(key).append(value).append("\n");
}

std::string set_configured(const fs::path& file, std::string_view key, std::string_view value) {
  const std::string text =
      with_setting(read_small_file(file, contract::kLongestConfigurationBytes), key, value);
  fs::path unfinished = file;
  unfinished += ".new";
  std::error_code error;
  fs::create_directories(file.parent_path(), error);
  if (!error) {
    std::ofstream written(unfinished, std::ios::binary);
    if (!(written << text).flush()) error = std::make_error_code(std::errc::io_error);
  }
  if (!error) fs::rename(unfinished, file, error);
  return error ? text_of(file) + " cannot be written: " + error.message() : std::string();
}

}  // namespace stemlane
