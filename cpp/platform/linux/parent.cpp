// SPDX-License-Identifier: MIT
// The kernel ends a child with the thread that started it.
#include <signal.h>
#include <sys/prctl.h>

#include "platform/process.h"

namespace stemlane {

void bind_to_parent() noexcept {
  // A parent that is gone already is noticed by the closed channel.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

int parent_descriptor() noexcept {
  return -1;  // it outlives an exec
}

}  // namespace stemlane
