// SPDX-License-Identifier: MIT
// Replaces the global operators new and delete.
#include "allocation_guard.h"

#include <cstdlib>
#include <new>

namespace {

thread_local bool watching = false;
thread_local std::int64_t counted = 0;

void* try_to_allocate(std::size_t size) noexcept {
  if (watching) ++counted;
  return std::malloc(size != 0 ? size : 1);
}

void* allocate(std::size_t size) {
  if (void* memory = try_to_allocate(size)) return memory;
  throw std::bad_alloc();
}

void release(void* memory) noexcept {
  if (watching && memory != nullptr) ++counted;
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return try_to_allocate(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return try_to_allocate(size); }
void operator delete(void* memory) noexcept { release(memory); }
void operator delete[](void* memory) noexcept { release(memory); }
void operator delete(void* memory, std::size_t) noexcept { release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { release(memory); }

AllocationGuard::AllocationGuard() noexcept {
  counted = 0;
  watching = true;
}
AllocationGuard::~AllocationGuard() { watching = false; }
std::int64_t AllocationGuard::count() const noexcept { return counted; }
