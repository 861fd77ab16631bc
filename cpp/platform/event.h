// SPDX-License-Identifier: MIT
// Wakes a thread of this process or of another one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "platform/native_handle.h"

namespace stemlane {

/// Signals before a wait count as one. Whoever holds the handle may signal and wait; a process that
/// signals without end holds nobody up.
class Event {
 public:
  /// Nothing, with `error` set, if the system refuses.
  static std::optional<Event> create(std::string& error);
  /// An event made by another process.
  explicit Event(OwnedHandle handle) noexcept : handle_(std::move(handle)) {}

  /// Wakes one wait, now or later. Never waits; a system call.
  void signal() noexcept;
  /// Waits for a signal for at most `nanoseconds` and takes it.
  void wait(std::int64_t nanoseconds) noexcept;

  NativeHandle handle() const noexcept { return handle_.get(); }

 private:
  OwnedHandle handle_;
};

}  // namespace stemlane
