// SPDX-License-Identifier: MIT
// Counts what this thread allocates, to prove that the audio thread does not.
#pragma once

#include <cstdint>

/// While one is alive, allocations and releases of its thread are counted.
class AllocationGuard {
 public:
  AllocationGuard() noexcept;
  ~AllocationGuard();
  AllocationGuard(const AllocationGuard&) = delete;
  AllocationGuard& operator=(const AllocationGuard&) = delete;

  std::int64_t count() const noexcept;
};
