// SPDX-License-Identifier: MIT
// Starting and ending a child process, and what a child finds when it starts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "platform/channel.h"
#include "platform/native_handle.h"

namespace stemlane {

/// What a child runs, in UTF-8.
struct Program {
  std::string executable;
  std::vector<std::string> arguments = {};
  /// File that what it prints is added to; empty: the one named by STEMLANE_ENGINE_LOG, or none.
  std::string output = {};
};

/// A child that speaks with this process through a channel. Its life ends with `end`, not with
/// this object.
class ChildProcess {
 public:
  /// Starts `program` with a clean environment (no settings of another Python, no preloaded
  /// libraries), ordinary priority and `handles`, which it finds by `inherited_handle`; nothing else
  /// is inherited. Nothing, with `error` set, if it cannot be started.
  static std::optional<ChildProcess> start(const Program& program, std::span<const NativeHandle> handles,
                                           std::string& error);

  Channel& channel() noexcept { return channel_; }
  /// Asks it to stop; where the system has no way to ask, ends it.
  void interrupt() const noexcept;
  /// Memory that it has in use now; 0 if that is not known.
  std::int64_t resident_bytes() const;
  /// Ends it and says how it ended: on its own within the grace period, else by force.
  std::string end(int grace_period_ms);

 private:
  ChildProcess(NativeHandle process, OwnedHandle job, Channel channel) noexcept
      : process_(process), job_(std::move(job)), channel_(std::move(channel)) {}

  NativeHandle process_;  ///< its number, or a HANDLE that `end` closes
  OwnedHandle job_;       ///< what ends it with this process, on Windows
  Channel channel_;
};

/// True if `path` can be started.
bool is_executable(const std::string& path) noexcept;

// --- In the child ---------------------------------------------------------------------------

/// True if this process was started by `ChildProcess::start`.
bool is_child_process() noexcept;
/// The child's end of the channel; to be taken once.
Channel inherited_channel() noexcept;
/// Number `index` of the handles that `start` was given; to be taken once.
OwnedHandle inherited_handle(int index) noexcept;

/// Has this process ended with the one that started it, even if it is stopped or stuck by then. Again
/// after an exec.
void bind_to_parent() noexcept;
/// The descriptor whose end tells a program that this process becomes that the parent is gone; -1 where the
/// system ends such a program, too.
int parent_descriptor() noexcept;
/// Has the system list this process as `name`, at most 15 letters, where it has such names.
void name_process(const char* name) noexcept;
/// Has the system end this process before others when memory runs out.
void be_first_when_out_of_memory() noexcept;

// --- This process ---------------------------------------------------------------------------

/// The file that this process runs.
std::filesystem::path executable_path();
/// Runs `program` in the place of this one, with what it needs from `library_folder`, if that is not empty.
/// Returns only why it failed. Windows has no such thing: this process waits there, and ends as the program
/// does.
std::string become(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   const std::filesystem::path& library_folder);
/// True if this process may map `num_bytes` more; none of them is used.
bool can_map(std::size_t num_bytes) noexcept;
/// Gives the system back what this process has freed and kept. It takes milliseconds.
void return_free_memory() noexcept;

}  // namespace stemlane
