// SPDX-License-Identifier: MIT
// What Linux knows of processes: /proc and prctl.
#include <sys/prctl.h>
#include <sys/types.h>
#include <unistd.h>

#include <fstream>

#include "platform/process.h"

namespace stemlane {

std::int64_t ChildProcess::resident_bytes() const {
  std::ifstream file("/proc/" + std::to_string(process_) + "/statm");
  std::int64_t all_pages = 0;
  std::int64_t resident_pages = 0;
  file >> all_pages >> resident_pages;
  return file ? resident_pages * sysconf(_SC_PAGESIZE) : 0;
}

void name_process(const char* name) noexcept {
  prctl(PR_SET_NAME, name);
}

void be_first_when_out_of_memory() noexcept {
  // Half of the scale from 0 (as any process) to 1000 (always the first).
  std::ofstream("/proc/self/oom_score_adj") << 500;
}

std::filesystem::path executable_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

}  // namespace stemlane
