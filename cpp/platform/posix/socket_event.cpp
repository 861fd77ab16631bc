// SPDX-License-Identifier: MIT
// A pair of sockets: a signal is a byte, and one read takes as many as a socket holds. For systems
// without eventfd.
#include <cerrno>
#include <cstring>

#include "platform/event.h"
#include "platform/posix/sockets.h"

namespace stemlane {

const int kDescriptorsPerHandle = 2;

std::optional<Event> Event::create(std::string& error) {
  OwnedHandle handle(handle_of(make_socket_pair()));
  if (handle) return Event(std::move(handle));
  error = std::string("no event: ") + std::strerror(errno);
  return std::nullopt;
}

void Event::signal() noexcept {
  const char byte = 0;
  // Fails only where the socket is full, and then it is signalled.
  static_cast<void>(::send(descriptors_of(handle()).second, &byte, 1, kAtOnce));
}

void take_signals(int descriptor) noexcept {
  // macOS holds 8 KiB in a socket, Linux some hundred single bytes.
  char bytes[16384];
  static_cast<void>(recv(descriptor, bytes, sizeof bytes, kAtOnce));
}

}  // namespace stemlane
