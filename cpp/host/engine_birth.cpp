// SPDX-License-Identifier: MIT
// Linux: the parent-death signal and the score of the out-of-memory killer.
#include "host/engine_birth.h"

#include <signal.h>
#include <sys/prctl.h>

#include <fstream>

namespace stemlane {

void be_a_good_child() noexcept {
  // A host that is gone already is noticed by its closed socket.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  // Half of the scale from 0 (as any process) to 1000 (always the first).
  std::ofstream("/proc/self/oom_score_adj") << 500;
}

}  // namespace stemlane
