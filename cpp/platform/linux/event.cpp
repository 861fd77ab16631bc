// SPDX-License-Identifier: MIT
// An eventfd: it adds signals up, and one read takes them all.
#include "platform/event.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <time.h>

#include <cerrno>
#include <cstring>

namespace stemlane {

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

void Event::wait(std::int64_t nanoseconds) noexcept {
  pollfd watched{static_cast<int>(handle()), POLLIN, 0};
  const timespec timeout{static_cast<time_t>(nanoseconds / 1'000'000'000),
                         static_cast<long>(nanoseconds % 1'000'000'000)};
  if (ppoll(&watched, 1, &timeout, nullptr) <= 0) return;
  eventfd_t count = 0;
  eventfd_read(static_cast<int>(handle()), &count);
}

}  // namespace stemlane
