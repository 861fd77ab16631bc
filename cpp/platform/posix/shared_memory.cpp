// SPDX-License-Identifier: MIT
// Mapping; where the memory comes from is each system's own.
#include "platform/shared_memory.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/posix/descriptors.h"

namespace stemlane {
namespace {

std::string system_error(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

int descriptor_of(const OwnedHandle& handle) noexcept {
  return static_cast<int>(handle.get());
}

}  // namespace

SharedMemory::SharedMemory(OwnedHandle handle, void* data, std::size_t num_bytes) noexcept
    : handle_(std::move(handle)), data_(data), num_bytes_(num_bytes) {}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : handle_(std::move(other.handle_)),
      data_(std::exchange(other.data_, nullptr)),
      num_bytes_(other.num_bytes_) {}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) munmap(data_, num_bytes_);
}

std::optional<SharedMemory> SharedMemory::create(std::size_t num_bytes, std::string& error) {
  OwnedHandle handle = reserve_memory(num_bytes);
  void* data = MAP_FAILED;
  if (handle) data = mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_of(handle), 0);
  if (data == MAP_FAILED) {
    error = system_error("no shared memory");
    return std::nullopt;
  }
  std::memset(data, 0, num_bytes);  // maps every page
  return SharedMemory(std::move(handle), data, num_bytes);
}

std::optional<SharedMemory> SharedMemory::open(OwnedHandle handle, std::string& error) {
  struct stat status {};
  if (fstat(descriptor_of(handle), &status) != 0 || status.st_size <= 0) {
    error = "the shared memory is missing or too small";
    return std::nullopt;
  }
  const auto num_bytes = static_cast<std::size_t>(status.st_size);
  void* data = mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor_of(handle), 0);
  if (data == MAP_FAILED) {
    error = system_error("the shared memory cannot be mapped");
    return std::nullopt;
  }
  return SharedMemory(std::move(handle), data, num_bytes);
}

}  // namespace stemlane
