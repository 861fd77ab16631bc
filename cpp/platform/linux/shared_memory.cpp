// SPDX-License-Identifier: MIT
// An anonymous memfd.
#include "platform/shared_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace stemlane {
namespace {

std::string system_error(const char* what) {
  return std::string(what) + ": " + std::strerror(errno);
}

int descriptor_of(const OwnedHandle& handle) noexcept {
  return static_cast<int>(handle.get());
}

}  // namespace

void close_handle(NativeHandle handle) noexcept {
  close(static_cast<int>(handle));
}

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
  OwnedHandle handle(memfd_create("stemlane", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!handle) {
    error = system_error("no shared memory");
    return std::nullopt;
  }
  // posix_fallocate reserves the pages now: a full system fails here, not with SIGBUS.
  void* data = MAP_FAILED;
  const int descriptor = descriptor_of(handle);
  if (const int failure = posix_fallocate(descriptor, 0, static_cast<off_t>(num_bytes)); failure != 0)
    errno = failure;
  // Sealed: a process that cut the file short would end the other one with SIGBUS.
  else if (fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
    data = mmap(nullptr, num_bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
  if (data == MAP_FAILED) {
    error = system_error("no shared memory");
    return std::nullopt;
  }
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
