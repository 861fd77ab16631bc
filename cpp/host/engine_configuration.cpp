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

/// What a link leads to in the end, which need not exist; a file itself if it is none.
fs::path behind_links(fs::path file) {
  constexpr int kMostLinks = 40;  // as Linux: more are a ring
  std::error_code error;
  for (int hops = 0; hops < kMostLinks && fs::is_symlink(file, error); ++hops)
    file = file.parent_path() / fs::read_symlink(file, error);
  return file;
}

/// Reads a file that will be replaced, whole or not at all; `problem` says why it cannot be.
std::string read_whole(const fs::path& file, std::string& problem) {
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error)
    problem = error.message();
  else if (!fs::is_regular_file(status))
    problem = "it is no plain file";
  else if (fs::file_size(file, error) > contract::kLongestConfigurationBytes || error)
    problem =
        "it has more than " + std::to_string(contract::kLongestConfigurationBytes) + " bytes; shorten it";
  else if (!std::ifstream(file, std::ios::binary))
    problem = "it cannot be read";
  return problem.empty() ? read_small_file(file, contract::kLongestConfigurationBytes) : std::string();
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
  const std::string refusal = text_of(file) + " cannot be written: ";
  if (file.empty())
    return std::string(contract::kEngineConfigurationFile) + " cannot be written: you have no home";
  const fs::path target = behind_links(file);
  std::string problem;
  const std::string text = with_setting(read_whole(target, problem), key, value);
  if (!problem.empty()) return refusal + problem;
  fs::path unfinished = target;
  unfinished += ".new";
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  if (!error) {
    std::ofstream written(unfinished, std::ios::binary);
    if (!(written << text).flush()) error = std::make_error_code(std::errc::io_error);
  }
  std::error_code ignored;
  if (const fs::file_status before = fs::status(target, ignored); fs::exists(before))
    fs::permissions(unfinished, before.permissions(), ignored);
  if (!error) fs::rename(unfinished, target, error);
  if (error) fs::remove(unfinished, ignored);
  return error ? refusal + error.message() : std::string();
}

}  // namespace stemlane
