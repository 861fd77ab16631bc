// SPDX-License-Identifier: MIT
// Waiting with poll for events and channels, whatever they are made of.
#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <limits>

#include "platform/channel.h"
#include "platform/event.h"
#include "platform/posix/descriptors.h"

namespace stemlane {

bool Channel::has_news() const noexcept {
  pollfd watched{descriptors_of(handle()).first, POLLIN, 0};
  return poll(&watched, 1, 0) != 0;
}

bool wait_for_either(Event& event, const Channel* channel, int timeout_ms) noexcept {
  pollfd watched[2] = {{descriptors_of(event.handle()).first, POLLIN, 0}, {-1, POLLIN, 0}};
  if (channel != nullptr) watched[1].fd = descriptors_of(channel->handle()).first;
  if (poll(watched, channel != nullptr ? 2 : 1, timeout_ms) <= 0) return false;
  if ((watched[0].revents & POLLIN) != 0) take_signals(watched[0].fd);
  return channel != nullptr && watched[1].revents != 0;
}

void Event::wait(std::int64_t nanoseconds) noexcept {
  constexpr std::int64_t kLongest = std::numeric_limits<int>::max();
  // Up to the next millisecond, so that a short wait is one.
  const std::int64_t milliseconds = nanoseconds / 1'000'000 + (nanoseconds % 1'000'000 != 0 ? 1 : 0);
  wait_for_either(*this, nullptr, static_cast<int>(std::clamp(milliseconds, std::int64_t{0}, kLongest)));
}

}  // namespace stemlane
