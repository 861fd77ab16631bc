// SPDX-License-Identifier: MIT
// What macOS knows of processes. Not compiled on any machine of the project's own yet.
#include <libproc.h>
#include <mach-o/dyld.h>
#include <sys/resource.h>

#include <cstdint>
#include <string>

#include "platform/process.h"

namespace stemlane {

std::int64_t ChildProcess::resident_bytes() const {
  rusage_info_v2 usage{};
  const int failure =
      proc_pid_rusage(static_cast<int>(process_), RUSAGE_INFO_V2, reinterpret_cast<rusage_info_t*>(&usage));
  return failure == 0 ? static_cast<std::int64_t>(usage.ri_phys_footprint) : 0;
}

void name_process(const char*) noexcept {
  // A process has the name of its file.
}

void be_first_when_out_of_memory() noexcept {
  // The system chooses by itself, and asks for no opinion.
}

std::filesystem::path executable_path() {
  std::uint32_t size = 0;
  _NSGetExecutablePath(nullptr, &size);
  std::string path(size, '\0');
  _NSGetExecutablePath(path.data(), &size);
  return std::filesystem::canonical(path.c_str());
}

}  // namespace stemlane
