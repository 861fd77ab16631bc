// SPDX-License-Identifier: MIT
// Memory that two processes map: without a name, gone with the last of them, so that a crash
// leaves nothing behind.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "platform/native_handle.h"

namespace stemlane {

/// Owns one mapping and the handle that another process can map it by.
class SharedMemory {
 public:
  /// Zeroed memory whose pages are all present, so that no later access waits or fails, and
  /// whose size nobody can change. Nothing, with `error` set, if the system refuses.
  static std::optional<SharedMemory> create(std::size_t num_bytes, std::string& error);

  /// Maps memory made by another process, all of it. Nothing, with `error` set, if that fails.
  static std::optional<SharedMemory> open(OwnedHandle handle, std::string& error);

  SharedMemory(SharedMemory&& other) noexcept;
  SharedMemory& operator=(SharedMemory&&) = delete;
  ~SharedMemory();

  void* data() const noexcept { return data_; }
  std::size_t num_bytes() const noexcept { return num_bytes_; }
  NativeHandle handle() const noexcept { return handle_.get(); }

 private:
  SharedMemory(OwnedHandle handle, void* data, std::size_t num_bytes) noexcept;

  OwnedHandle handle_;
  void* data_;
  std::size_t num_bytes_;
};

}  // namespace stemlane
