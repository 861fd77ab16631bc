// SPDX-License-Identifier: MIT
// An eventfd: it adds signals up, and one read takes them all.
#include "platform/event.h"

#include <sys/eventfd.h>

#include <cerrno>
#include <cstring>

#include "platform/posix/descriptors.h"

namespace stemlane {

const int kDescriptorsPerHandle = 1;

std::optional<Event> Event::create(std::string& error) {
  OwnedHandle handle(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (handle) return Event(std::move(handle));
  error = std::string("no event: ") + std::strerror(errno);
  return std::nullopt;
}

void Event::signal() noexcept {
  // Fails only where it would overflow, and then it is signalled.
  eventfd_write(static_cast<int>(handle()), 1);
}

void take_signals(int descriptor) noexcept {
  eventfd_t count = 0;
  eventfd_read(descriptor, &count);
}

}  // namespace stemlane
