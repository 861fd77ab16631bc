// SPDX-License-Identifier: MIT
// What the system knows a shared thing by: descriptors, or a HANDLE. Outside of this folder
// it is only passed on.
#pragma once

#include <cstdint>
#include <utility>

namespace stemlane {

using NativeHandle = std::intptr_t;
inline constexpr NativeHandle kNoHandle = -1;

void close_handle(NativeHandle handle) noexcept;

/// Closes its handle at the end of its life.
class OwnedHandle {
 public:
  OwnedHandle() noexcept = default;
  explicit OwnedHandle(NativeHandle handle) noexcept : handle_(handle) {}
  OwnedHandle(OwnedHandle&& other) noexcept : handle_(std::exchange(other.handle_, kNoHandle)) {}
  OwnedHandle& operator=(OwnedHandle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  OwnedHandle(const OwnedHandle&) = delete;
  OwnedHandle& operator=(const OwnedHandle&) = delete;
  ~OwnedHandle() {
    if (handle_ != kNoHandle) close_handle(handle_);
  }

  NativeHandle get() const noexcept { return handle_; }
  /// Leaves it to the caller.
  NativeHandle release() noexcept { return std::exchange(handle_, kNoHandle); }
  explicit operator bool() const noexcept { return handle_ != kNoHandle; }

 private:
  NativeHandle handle_ = kNoHandle;
};

/// Another handle of the same thing; none if the system refuses.
OwnedHandle duplicate_handle(NativeHandle handle) noexcept;

}  // namespace stemlane
