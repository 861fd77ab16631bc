// SPDX-License-Identifier: MIT
// Samples of the stems after their faders, on their way from the audio thread to a picture. What
// finds no room is left out: a picture may miss something, the audio thread may not wait.
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

/// `begin`, `write` and `end` belong to the audio thread, all else to one message thread, `prepare` and
/// `release` while the audio thread keeps away.
class StemTap {
 public:
  /// 0.7 s at 48 kHz, 85 ms at the highest rate: more than two frames of a picture.
  static constexpr std::int64_t kCapacity = 1 << 15;
  static constexpr int kNumPlanes = kNumStems * kMaxChannels;

  /// Takes the memory, if it is not there, and begins with an empty ring.
  void prepare() {
    if (!memory_.empty()) return;
    memory_.assign(static_cast<std::size_t>(kNumPlanes * kCapacity), 0.0F);
    ring_ = SampleRing(memory_.data(), kNumPlanes, kCapacity);
    written_.fill(-kCapacity);
  }
  /// Gives the memory back, and with it what nobody has read.
  void release() {
    memory_ = {};
    ring_ = {};
    begin_.store(0, std::memory_order_relaxed);
    end_.store(0, std::memory_order_relaxed);
  }

  /// True if there is room for a piece.
  bool begin(int num_samples) noexcept STEMLANE_REALTIME {
    const std::int64_t end = end_.load(std::memory_order_relaxed);
    return !memory_.empty() && end + num_samples - begin_.load(std::memory_order_acquire) <= kCapacity;
  }
  void write(int stem, int channel, const float* samples, float gain,
             int num_samples) noexcept STEMLANE_REALTIME {
    const std::int64_t end = end_.load(std::memory_order_relaxed);
    const int plane = stem * kMaxChannels + channel;
    const std::int64_t first = ring_.contiguous(end, num_samples);
    const auto scaled = [gain](float sample) { return gain * sample; };
    std::transform(samples, samples + first, ring_.at(plane, end), scaled);
    std::transform(samples + first, samples + num_samples, ring_.at(plane, end + first), scaled);
    written_[static_cast<std::size_t>(plane)] = end + num_samples;
  }
  /// Hands the piece over. What has not been written of it is silent.
  void end(int num_samples) noexcept STEMLANE_REALTIME {
    const std::int64_t end = end_.load(std::memory_order_relaxed);
    for (int plane = 0; plane < kNumPlanes; ++plane) silence(plane, end, num_samples);
    end_.store(end + num_samples, std::memory_order_release);
  }

  /// Samples that wait to be read.
  std::int64_t num_ready() const noexcept {
    return end_.load(std::memory_order_acquire) - begin_.load(std::memory_order_relaxed);
  }
  /// Hands the next `num_samples` (at most `num_ready`) to `take(stem, channel, samples)`, each
  /// channel as one run; it may keep nothing. `scratch` holds a run.
  template <typename Take>
  void read(int num_samples, std::vector<float>& scratch, Take&& take) {
    const std::int64_t begin = begin_.load(std::memory_order_relaxed);
    scratch.resize(static_cast<std::size_t>(num_samples));
    for (int stem = 0; num_samples > 0 && stem < kNumStems; ++stem)
      for (int channel = 0; channel < kMaxChannels; ++channel) {
        ring_.read(stem * kMaxChannels + channel, begin, scratch.data(), num_samples);
        take(stem, channel, scratch.data());
      }
    begin_.store(begin + num_samples, std::memory_order_release);
  }

 private:
  // A plane that nobody has written for a whole ring is silent already: absent stems cost nothing.
  void silence(int plane, std::int64_t end, int num_samples) noexcept {
    const std::int64_t written = written_[static_cast<std::size_t>(plane)];
    if (written > end || written + kCapacity <= end) return;
    const std::int64_t first = ring_.contiguous(end, num_samples);
    std::fill_n(ring_.at(plane, end), first, 0.0F);
    std::fill_n(ring_.at(plane, end + first), num_samples - first, 0.0F);
  }

  std::vector<float> memory_;
  SampleRing ring_;
  std::array<std::int64_t, kNumPlanes> written_{};  ///< where each plane's last run ends; audio thread
  std::atomic<std::int64_t> begin_{0};              // writer: message; reader: audio
  std::atomic<std::int64_t> end_{0};                // writer: audio; reader: message
};

}  // namespace stemlane
