// SPDX-License-Identifier: MIT
// An anonymous memfd.
#include <fcntl.h>
#include <sys/mman.h>

#include <cerrno>

#include "platform/posix/descriptors.h"

namespace stemlane {

OwnedHandle reserve_memory(std::size_t num_bytes) noexcept {
  OwnedHandle handle(memfd_create("stemlane", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!handle) return handle;
  // posix_fallocate reserves the pages now: a full system fails here, not with SIGBUS.
  const auto descriptor = static_cast<int>(handle.get());
  if (const int failure = posix_fallocate(descriptor, 0, static_cast<off_t>(num_bytes)); failure != 0) {
    errno = failure;
    return {};
  }
  // Sealed: a process that cut the file short would end the other one with SIGBUS.
  if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) != 0) return {};
  return handle;
}

}  // namespace stemlane
