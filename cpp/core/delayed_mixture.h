// SPDX-License-Identifier: MIT
// The mixture, `latency_samples` later: the basis of every output sample. It is
// private to the host process, so nothing that the engine does can touch it.
#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "core/realtime.h"
#include "core/sample_ring.h"

namespace stemlane {

/// Keeps the last `latency + max_block` samples of the mixture by absolute position.
class DelayedMixture {
 public:
  /// Sizes the memory. Control thread, audio stopped.
  void prepare(int num_channels, std::int64_t latency_samples, std::int64_t max_block_samples) {
    const auto capacity = static_cast<std::int64_t>(
        std::bit_ceil(static_cast<std::uint64_t>(latency_samples + max_block_samples)));
    memory_.assign(static_cast<std::size_t>(num_channels * capacity), 0.0F);
    ring_ = SampleRing(memory_.data(), num_channels, capacity);
  }

  /// Forgets the past: positions before the next write read as silence.
  void clear() noexcept { ring_.clear(); }

  void write(std::int64_t position, const float* const* mixture, int num_samples) noexcept STEMLANE_REALTIME {
    for (int channel = 0; channel < ring_.num_planes(); ++channel)
      ring_.write(channel, position, mixture[channel], num_samples);
  }

  void read(int channel, std::int64_t position, float* target,
            int num_samples) const noexcept STEMLANE_REALTIME {
    ring_.read(channel, position, target, num_samples);
  }

 private:
  std::vector<float> memory_;
  SampleRing ring_;
};

}  // namespace stemlane
