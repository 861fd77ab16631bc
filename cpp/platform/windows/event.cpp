// SPDX-License-Identifier: MIT
// An event that one wait takes.
#include "platform/event.h"

#include "platform/windows/system.h"

namespace stemlane {

std::optional<Event> Event::create(std::string& error) {
  OwnedHandle handle = as_owned(CreateEventW(nullptr, FALSE, FALSE, nullptr));
  if (handle) return Event(std::move(handle));
  error = last_error("no event");
  return std::nullopt;
}

void Event::signal() noexcept {
  SetEvent(as_handle(handle()));
}

void Event::wait(std::int64_t nanoseconds) noexcept {
  WaitForSingleObject(as_handle(handle()), to_milliseconds(nanoseconds));
}

}  // namespace stemlane
