// SPDX-License-Identifier: MIT
// A ring of planar audio addressed by absolute position. It moves samples only:
// which positions are valid is published by whoever owns the ring, so that the
// same class serves private memory and memory shared between processes.
#pragma once

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>

namespace stemlane {

/// View of `num_planes` rings of `capacity` samples each (a power of two) in
/// memory that the caller owns. Position p lives in slot p mod capacity.
///
/// One thread (or process) writes, one reads; the writer publishes a position
/// with release order after `write`, the reader acquires it before `read`.
class SampleRing {
 public:
  SampleRing() = default;
  SampleRing(float* memory, int num_planes, std::int64_t capacity) noexcept
      : memory_(memory), num_planes_(num_planes), capacity_(capacity) {
    assert(std::has_single_bit(static_cast<std::uint64_t>(capacity)));
  }

  std::int64_t capacity() const noexcept { return capacity_; }
  int num_planes() const noexcept { return num_planes_; }

  /// Samples from `position` on that lie side by side, `wanted` at most.
  std::int64_t contiguous(std::int64_t position, std::int64_t wanted) const noexcept {
    return std::min(wanted, capacity_ - slot(position));
  }

  /// Address of `position` in plane `plane`; `contiguous` tells how far it reaches.
  float* at(int plane, std::int64_t position) const noexcept {
    return memory_ + plane * capacity_ + slot(position);
  }

  /// Copies `num_samples` (at most the capacity) into plane `plane` from `position` on.
  void write(int plane, std::int64_t position, const float* source, std::int64_t num_samples) const noexcept {
    const std::int64_t first = contiguous(position, num_samples);
    std::memcpy(at(plane, position), source, bytes(first));
    if (first < num_samples)
      std::memcpy(at(plane, position + first), source + first, bytes(num_samples - first));
  }

  /// Copies `num_samples` (at most the capacity) of plane `plane` from `position` on.
  void read(int plane, std::int64_t position, float* target, std::int64_t num_samples) const noexcept {
    const std::int64_t first = contiguous(position, num_samples);
    std::memcpy(target, at(plane, position), bytes(first));
    if (first < num_samples)
      std::memcpy(target + first, at(plane, position + first), bytes(num_samples - first));
  }

  void clear() const noexcept { std::memset(memory_, 0, bytes(num_planes_ * capacity_)); }

 private:
  // Two's complement makes this the true modulus for negative positions too.
  std::int64_t slot(std::int64_t position) const noexcept { return position & (capacity_ - 1); }
  static std::size_t bytes(std::int64_t num_samples) noexcept {
    return static_cast<std::size_t>(num_samples) * sizeof(float);
  }

  float* memory_ = nullptr;
  int num_planes_ = 0;
  std::int64_t capacity_ = 1;
};

}  // namespace stemlane
