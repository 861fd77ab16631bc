// SPDX-License-Identifier: MIT
// The two halves of the engine: `stemlane-engine`, an executable without any Python, finds one,
// then hands over to libstemlane-engine.so, which is built against Python's headers.
#pragma once

#include <sys/socket.h>

#include <string_view>

#include "link/engine_protocol.h"

namespace stemlane {

/// Tells the host a state with its text, on the engine's socket.
inline void send_status(EngineState state, std::string_view text) noexcept {
  StatusMessage message;
  message.state = static_cast<std::uint32_t>(state);
  text.copy(message.text, sizeof message.text - 1);
  send(kEngineSocket, &message, sizeof message, MSG_NOSIGNAL);
}

/// Name of the one function of libstemlane-engine.so that is visible:
/// `extern "C" int stemlane_engine(const char* executable, const char* packages, const char* found_by)`.
/// Serves the host until it leaves; the result is the exit status. `executable` is the Python to
/// embed, null if one is running already and this thread holds its lock. `packages` is a folder to
/// search before its own, or empty; `found_by` says where that Python was named, for messages.
inline constexpr const char* kEntryName = "stemlane_engine";
using EngineEntry = int (*)(const char* executable, const char* packages, const char* found_by);

}  // namespace stemlane
