// SPDX-License-Identifier: MIT
// Messages between two processes: whole or not at all, in order, and an end that is noticed.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>

#include "platform/event.h"
#include "platform/native_handle.h"

namespace stemlane {

/// One end of a channel. The process at the other end is not trusted: its messages are bytes.
class Channel {
 public:
  /// Both ends. Nothing, with `error` set, if the system refuses.
  static std::optional<std::pair<Channel, Channel>> create(std::string& error);
  explicit Channel(OwnedHandle handle) noexcept : handle_(std::move(handle)) {}

  /// False if the other end is gone. Never waits for it.
  bool send(const void* message, std::size_t num_bytes) noexcept;

  enum class Received {
    message,  ///< one of exactly the size asked for
    nothing,  ///< none yet
    closed,   ///< the other end is gone, or has sent something of another size
  };
  /// Takes the next message of `num_bytes`; waits for it forever if `wait`.
  Received receive(void* message, std::size_t num_bytes, bool wait) noexcept;

  /// True if `receive` would not say `nothing`.
  bool has_news() const noexcept;

  NativeHandle handle() const noexcept { return handle_.get(); }

 private:
  OwnedHandle handle_;
};

/// Waits until `event` is signalled, which it takes, or until `channel`, if there is one, has
/// news, for at most `timeout_ms`. True if the channel has.
bool wait_for_either(Event& event, const Channel* channel, int timeout_ms) noexcept;

}  // namespace stemlane
