// SPDX-License-Identifier: MIT
// What an engine process has of its host: the channel, and the shared memory with its events.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "link/engine_protocol.h"
#include "link/shared_audio.h"
#include "platform/process.h"

namespace stemlane {

/// The engine's end of the channel, in a process that a host has started. One thread.
class HostLink {
 public:
  HostLink() noexcept : channel_(inherited_channel()) {}

  /// Tells the host a state with its text. `is_final`: no other engine would do better.
  void send_status(EngineState state, std::string_view text, bool is_final = false) noexcept {
    StatusMessage message;
    message.state = static_cast<std::uint32_t>(state);
    message.is_final = is_final ? 1 : 0;
    text.copy(message.text, sizeof message.text - 1);
    channel_.send(&message, sizeof message);
  }

  /// Waits for the configuration; false if it is of another version, or the host is gone.
  bool receive_configuration(ConfigureMessage& message) noexcept {
    if (channel_.receive(&message, sizeof message, true) != Channel::Received::message ||
        message.magic != kProtocolMagic || message.version != kProtocolVersion)
      return false;
    message.model[sizeof message.model - 1] = '\0';
    message.stems[sizeof message.stems - 1] = '\0';
    return true;
  }

  /// True if the host has closed its end; it says nothing after the configuration.
  bool host_has_left() const noexcept { return channel_.has_news(); }

  /// The shared memory; to be taken once. Returns null and sets `error` if anything is off.
  static std::unique_ptr<SharedAudio> open_memory(std::string& error) {
    return SharedAudio::open(inherited_handle(kMemoryHandle), Event(inherited_handle(kMixtureWrittenHandle)),
                             Event(inherited_handle(kStemsWrittenHandle)), error);
  }

 private:
  Channel channel_;
};

}  // namespace stemlane
