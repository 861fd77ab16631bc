// SPDX-License-Identifier: MIT
// Threads inherit no priority here, and processes do not fork.
#include "platform/thread.h"

#include "platform/windows/system.h"

namespace stemlane {

void use_ordinary_priority() noexcept {
  SetThreadPriority(GetCurrentThread(), THREAD_PRIORITY_NORMAL);
}

std::int64_t fork_generation() noexcept {
  return 0;
}

}  // namespace stemlane
