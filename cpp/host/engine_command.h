// SPDX-License-Identifier: MIT
// A command of the command line, run by the engine's Python in a process of its own: what takes minutes and
// must not take the host along. What it prints is read from a file, line by line.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "platform/process.h"

namespace stemlane {

/// One thread, which must live as long as the command: some systems end a child with the thread that started
/// it. Never the audio thread.
class EngineCommand {
 public:
  /// Starts `engine --command ARGUMENTS`. If that fails, `is_running` is false and `problem` says why.
  EngineCommand(const std::string& engine, const std::vector<std::string>& arguments);
  /// Ends it, if it still runs: it gets half a second to clean up.
  ~EngineCommand();
  EngineCommand(const EngineCommand&) = delete;
  EngineCommand& operator=(const EngineCommand&) = delete;

  /// Lines of JSON that have come since the last call. Once it has ended, the last ones.
  std::vector<std::string> read();
  /// False once it has ended and all that it has said has been read.
  bool is_running() const noexcept { return child_.has_value(); }
  /// Why it has failed, as the command line says it; empty while it runs and after a success.
  const std::string& problem() const noexcept { return problem_; }
  /// Asks it to stop. It cleans up and ends a little later.
  void cancel() noexcept;

 private:
  std::filesystem::path output() const { return folder_ / "output.jsonl"; }
  bool take(std::vector<std::string>& lines);
  void split(std::vector<std::string>& lines, bool ends);
  void finish(const std::string& ended);

  std::filesystem::path folder_;  ///< holds the file that it prints to
  std::optional<ChildProcess> child_;
  std::int64_t position_ = 0;  ///< of what has been read
  std::string rest_;           ///< begun, and not yet a line
  std::string last_words_;     ///< the last line that is no JSON
  std::string problem_;
  bool cancelled_ = false;
};

}  // namespace stemlane
