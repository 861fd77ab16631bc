// SPDX-License-Identifier: MIT
// shm_open with a name that is gone before anyone can use it. For systems without memfd. On macOS
// the size of such memory can be set once, so nobody can cut it short; on Linux the engine could.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <random>

#include "platform/posix/descriptors.h"

namespace stemlane {
namespace {

int open_unnamed() noexcept {
  constexpr int kTries = 8;  // a name of 64 random bits is taken once in a blue moon
  try {
    std::random_device source;
    for (int i = 0; i < kTries; ++i) {
      char name[31];  // macOS takes no longer ones
      std::snprintf(name, sizeof name, "/stemlane-%08x%08x", source(), source());
      const int descriptor = shm_open(name, O_RDWR | O_CREAT | O_EXCL, 0600);
      if (descriptor >= 0) shm_unlink(name);
      if (descriptor >= 0 || errno != EEXIST) return descriptor;
    }
  } catch (...) {  // no source of random numbers
    errno = ENOSYS;
  }
  return -1;
}

bool reserve(int descriptor, off_t num_bytes) noexcept {
  if (ftruncate(descriptor, num_bytes) != 0) return false;
#if !defined(__APPLE__)
  // On macOS such memory is swapped like any other, and never full like a file system.
  if (const int failure = posix_fallocate(descriptor, 0, num_bytes); failure != 0) {
    errno = failure;
    return false;
  }
#endif
  return true;
}

}  // namespace

OwnedHandle reserve_memory(std::size_t num_bytes) noexcept {
  OwnedHandle memory(open_unnamed());
  if (memory && !reserve(static_cast<int>(memory.get()), static_cast<off_t>(num_bytes))) return OwnedHandle();
  return memory;
}

}  // namespace stemlane
