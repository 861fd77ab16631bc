// SPDX-License-Identifier: MIT
// Two descriptors in one handle: the second one, counted from 1, in the upper half.
#include "platform/posix/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

namespace stemlane {
namespace {

constexpr int kBits = 32;

}  // namespace

static_assert(sizeof(NativeHandle) == 8);

Descriptors descriptors_of(NativeHandle handle) noexcept {
  if (handle == kNoHandle) return {};
  return {static_cast<int>(handle & 0xFFFFFFFF), static_cast<int>(handle >> kBits) - 1};
}

NativeHandle handle_of(Descriptors descriptors) noexcept {
  if (descriptors.first < 0) return kNoHandle;
  return static_cast<NativeHandle>(descriptors.first) | static_cast<NativeHandle>(descriptors.second + 1)
                                                            << kBits;
}

void close_handle(NativeHandle handle) noexcept {
  const Descriptors closed = descriptors_of(handle);
  close(closed.first);
  if (closed.second >= 0) close(closed.second);
}

OwnedHandle duplicate_handle(NativeHandle handle) noexcept {
  const Descriptors original = descriptors_of(handle);
  Descriptors copy{fcntl(original.first, F_DUPFD_CLOEXEC, 0), -1};
  if (original.second >= 0) copy.second = fcntl(original.second, F_DUPFD_CLOEXEC, 0);
  return OwnedHandle(handle_of(copy));
}

}  // namespace stemlane
