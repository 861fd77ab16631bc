// SPDX-License-Identifier: MIT
// A section of the paging file without a name. Its size is fixed.
#include "platform/shared_memory.h"

#include <cstdint>
#include <cstring>
#include <utility>

#include "platform/windows/system.h"

namespace stemlane {

SharedMemory::SharedMemory(OwnedHandle handle, void* data, std::size_t num_bytes) noexcept
    : handle_(std::move(handle)), data_(data), num_bytes_(num_bytes) {}

SharedMemory::SharedMemory(SharedMemory&& other) noexcept
    : handle_(std::move(other.handle_)),
      data_(std::exchange(other.data_, nullptr)),
      num_bytes_(other.num_bytes_) {}

SharedMemory::~SharedMemory() {
  if (data_ != nullptr) UnmapViewOfFile(data_);
}

std::optional<SharedMemory> SharedMemory::create(std::size_t num_bytes, std::string& error) {
  const auto size = static_cast<std::uint64_t>(num_bytes);
  // All of it is committed now: a full system fails here, not at a later access.
  OwnedHandle handle =
      as_owned(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE,
                                  static_cast<DWORD>(size >> 32U), static_cast<DWORD>(size), nullptr));
  void* data =
      handle ? MapViewOfFile(as_handle(handle.get()), FILE_MAP_ALL_ACCESS, 0, 0, num_bytes) : nullptr;
  if (data == nullptr) {
    error = last_error("no shared memory");
    return std::nullopt;
  }
  std::memset(data, 0, num_bytes);  // maps every page
  return SharedMemory(std::move(handle), data, num_bytes);
}

std::optional<SharedMemory> SharedMemory::open(OwnedHandle handle, std::string& error) {
  void* data = MapViewOfFile(as_handle(handle.get()), FILE_MAP_ALL_ACCESS, 0, 0, 0);
  MEMORY_BASIC_INFORMATION region{};
  if (data == nullptr || VirtualQuery(data, &region, sizeof region) == 0) {
    error = "the shared memory is missing or too small";
    if (data != nullptr) UnmapViewOfFile(data);
    return std::nullopt;
  }
  return SharedMemory(std::move(handle), data, region.RegionSize);
}

}  // namespace stemlane
