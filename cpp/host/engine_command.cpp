// SPDX-License-Identifier: MIT
// See engine_command.h. The process is not trusted: what it prints is cut where it is too long.
#include "host/engine_command.h"

#include <algorithm>
#include <fstream>
#include <random>
#include <string_view>

#include "host/out_of_memory.h"
#include "platform/text_path.h"

namespace stemlane {
namespace {

namespace fs = std::filesystem;

// A line with all outputs of a recording has some ten thousand bytes, most of them waveforms.
constexpr std::size_t kMaxLineBytes = 1 << 16;
constexpr std::size_t kMaxReadBytes = 1 << 20;
constexpr int kGracePeriodMs = 500;
constexpr std::string_view kPrefix = "stemlane: ";

/// A new folder that is this user's alone; empty if there can be none.
fs::path scratch_folder() {
  std::error_code error;
  const fs::path parent = fs::temp_directory_path(error);
  std::random_device random;
  for (int tries = 0; !error && tries < 10; ++tries) {
    fs::path folder = parent / ("stemlane-" + std::to_string(random()) + std::to_string(random()));
    // Made by nobody else before: others may write where temporary files lie.
    if (!fs::create_directory(folder, error)) continue;
    fs::permissions(folder, fs::perms::owner_all, error);
    return folder;
  }
  return {};
}

}  // namespace

EngineCommand::EngineCommand(const std::string& engine, const std::vector<std::string>& arguments)
    : folder_(scratch_folder()) {
  if (folder_.empty()) {
    problem_ = "there is no folder for temporary files";
    return;
  }
  if (!is_executable(engine)) {
    problem_ = "the engine is missing: " + engine + "; install Stemlane again";
    return;
  }
  std::vector<std::string> all = {"--command"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  std::string error;
  child_ = ChildProcess::start({engine, all, text_of(output())}, {}, error);
  if (!child_) problem_ = "the engine does not start: " + error;
}

EngineCommand::~EngineCommand() {
  if (child_) {
    child_->interrupt();
    child_->end(kGracePeriodMs);
  }
  std::error_code ignored;
  if (!folder_.empty()) fs::remove_all(folder_, ignored);
}

void EngineCommand::cancel() noexcept {
  if (!child_) return;
  cancelled_ = true;
  child_->interrupt();
}

std::vector<std::string> EngineCommand::read() {
  std::vector<std::string> lines;
  if (!child_) return lines;
  // Looked at first: what comes before the end is all there after it.
  const bool ended = child_->channel().has_news();
  while (take(lines) && ended) {
  }
  if (!ended) return lines;
  const std::string status = child_->end(kGracePeriodMs);
  child_.reset();
  split(lines, !rest_.empty());
  finish(status);
  return lines;
}

// False if there was nothing.
bool EngineCommand::take(std::vector<std::string>& lines) {
  std::ifstream file(output(), std::ios::binary);
  file.seekg(position_);
  std::string piece(kMaxReadBytes, '\0');
  file.read(piece.data(), static_cast<std::streamsize>(piece.size()));
  piece.resize(static_cast<std::size_t>(file.gcount()));
  position_ += file.gcount();
  rest_ += piece;
  split(lines, false);
  return !piece.empty();
}

// Takes the whole lines from `rest_`, and with `ends` what is left as the last one.
void EngineCommand::split(std::vector<std::string>& lines, bool ends) {
  if (ends) rest_ += '\n';
  std::size_t begin = 0;
  for (std::size_t end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', begin)) {
    std::string line = rest_.substr(begin, std::min(end - begin, kMaxLineBytes));
    begin = end + 1;
    if (line.ends_with('\r')) line.pop_back();  // as lines of text end on Windows
    if (line.starts_with('{'))
      lines.push_back(std::move(line));
    else if (!line.empty())
      last_words_ = std::move(line);
  }
  rest_.erase(0, begin);
  if (rest_.size() > kMaxLineBytes) rest_.resize(kMaxLineBytes);
}

void EngineCommand::finish(const std::string& ended) {
  if (ended == "exit status 0") return;
  if (cancelled_) {
    problem_ = "cancelled";
    return;
  }
  const std::string_view said = last_words_;
  problem_ = said.starts_with(kPrefix) ? std::string(said.substr(kPrefix.size())) : std::string(said);
  if (problem_.empty()) problem_ = "the command ended without a word (" + ended + ")";
  if (says_out_of_memory(problem_)) problem_ = out_of_memory_text(problem_);
}

}  // namespace stemlane
