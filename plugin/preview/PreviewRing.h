// SPDX-License-Identifier: GPL-3.0-or-later
// Audio on its way from a file to the plugin's output: added there, faded in and out, and left out where
// there is none.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <vector>

#include "core/realtime.h"
#include "core/sample_ring.h"
#include "core/stems.h"

namespace stemlane {

/// `addTo` belongs to the audio thread, `begin` and `stop` to the message thread while nobody fills, the rest
/// to whoever fills.
class PreviewRing {
 public:
  /// 0.7 s at 44.1 kHz, 85 ms at the highest rate.
  static constexpr std::int64_t kCapacity = 1 << 15;

  /// What was in it is skipped; what is filled from now on is heard. Takes the memory with the first call.
  void begin() {
    if (memory_.empty()) {
      memory_.assign(static_cast<std::size_t>(kMaxChannels * kCapacity), 0.0F);
      ring_ = SampleRing(memory_.data(), kMaxChannels, kCapacity);
    }
    first_.store(filled_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    isOn_.store(true, std::memory_order_release);
  }
  /// Fades out within a block.
  void stop() noexcept { isOn_.store(false, std::memory_order_release); }

  std::int64_t numFree() const noexcept {
    return kCapacity - (filled_.load(std::memory_order_relaxed) - played_.load(std::memory_order_acquire));
  }
  void fill(const float* const* channels, int numSamples) noexcept {
    const std::int64_t filled = filled_.load(std::memory_order_relaxed);
    for (int channel = 0; channel < kMaxChannels; ++channel)
      ring_.write(channel, filled, channels[channel], numSamples);
    filled_.store(filled + numSamples, std::memory_order_release);
  }
  /// Samples that have been played since `begin`, and that wait. Any thread.
  std::int64_t numPlayed() const noexcept {
    return std::max<std::int64_t>(
        0, played_.load(std::memory_order_acquire) - first_.load(std::memory_order_relaxed));
  }
  std::int64_t numWaiting() const noexcept {
    return filled_.load(std::memory_order_acquire) - played_.load(std::memory_order_acquire);
  }

  /// Adds what there is to a block; a mono block gets the mean of both channels.
  void addTo(float* const* out, int numChannels, int numSamples) noexcept STEMLANE_REALTIME {
    const bool isOn = isOn_.load(std::memory_order_acquire);
    if (!isOn && gain_ == 0.0F) return;
    const std::int64_t filled = filled_.load(std::memory_order_acquire);
    const std::int64_t first = first_.load(std::memory_order_relaxed);
    std::int64_t from = played_.load(std::memory_order_relaxed);
    if (from < first) {
      from = first;
      gain_ = 0.0F;
    }
    const auto count = static_cast<int>(std::min<std::int64_t>(numSamples, filled - from));
    const float step = ((isOn ? 1.0F : 0.0F) - gain_) / static_cast<float>(std::max(1, count));
    for (int channel = 0; channel < numChannels; ++channel)
      for (int n = 0; n < count; ++n) {
        const float left = *ring_.at(0, from + n);
        const float right = *ring_.at(1, from + n);
        const float sample = numChannels == 1 ? 0.5F * (left + right) : channel == 0 ? left : right;
        out[channel][n] += sample * (gain_ + step * static_cast<float>(n + 1));
      }
    if (count > 0 || !isOn) gain_ = isOn ? 1.0F : 0.0F;
    played_.store(from + count, std::memory_order_release);
  }

 private:
  std::vector<float> memory_;
  SampleRing ring_;
  float gain_ = 0.0F;  // audio thread

  std::atomic<bool> isOn_{false};        // writer: message; reader: audio
  std::atomic<std::int64_t> first_{0};   // writer: message; readers: all
  std::atomic<std::int64_t> filled_{0};  // writer: whoever fills; readers: all
  std::atomic<std::int64_t> played_{0};  // writer: audio; readers: all
};

}  // namespace stemlane
