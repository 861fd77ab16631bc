// SPDX-License-Identifier: MIT
// Levels and samples of the stems after their faders, for whoever watches.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <thread>

#include "core/gain_ramp.h"
#include "core/realtime.h"
#include "core/stem_mixer.h"
#include "stream/stem_tap.h"

namespace stemlane {

/// `is_on`, `enter`, `leave` and `measure` belong to the audio thread, the rest to one message thread.
class Meters {
 public:
  /// Off, it waits for a block that is being measured, which takes microseconds, and gives the memory back.
  void set_on(bool on) {
    if (on) tap_.prepare();
    on_.store(on);
    if (on) return;
    while (in_use_.load()) std::this_thread::yield();
    tap_.release();
    for (auto& stem : peaks_)
      for (auto& peak : stem) peak.store(0.0F, std::memory_order_relaxed);
  }
  bool is_on() const noexcept { return on_.load(std::memory_order_acquire); }

  /// True if anyone watches; then nothing is taken away until `leave`.
  bool enter() noexcept STEMLANE_REALTIME {
    // In one order for all threads: either `set_on` sees this, or this sees that it is off.
    in_use_.store(true);
    if (on_.load()) return true;
    leave();
    return false;
  }
  void leave() noexcept STEMLANE_REALTIME { in_use_.store(false, std::memory_order_release); }

  /// Peak of one channel of a stem since the last call, linear.
  float take(int stem, int channel) noexcept {
    return peaks_[static_cast<std::size_t>(stem)][static_cast<std::size_t>(channel)].exchange(
        0.0F, std::memory_order_relaxed);
  }
  /// The samples themselves.
  StemTap& tap() noexcept { return tap_; }

  /// Looks at a piece that is not mixed yet: its `out` is the delayed mixture. While the tap's
  /// reader is behind, pieces pass it by.
  void measure(const MixPiece& piece, const GainTimeline& gains) noexcept STEMLANE_REALTIME {
    const std::int64_t last = piece.position + piece.num_samples - 1;
    const bool taps = tap_.begin(piece.num_samples);
    for (int channel = 0; channel < piece.num_channels; ++channel) {
      const auto c = static_cast<std::size_t>(channel);
      const auto note = [&](int stem, const float* samples) {
        const float gain = gains.gain(stem, last);
        std::atomic<float>& seen = peaks_[static_cast<std::size_t>(stem)][c];
        const float peak = gain * peak_of(samples, piece.num_samples);
        if (peak > seen.load(std::memory_order_relaxed)) seen.store(peak, std::memory_order_relaxed);
        if (taps) tap_.write(stem, channel, samples, gain, piece.num_samples);
      };
      std::array<float, kMixSamples> rest;
      std::array<float, kMixSamples> faded;
      std::memcpy(rest.data(), piece.out[c], sizeof(float) * static_cast<std::size_t>(piece.num_samples));
      for (int i = 0; piece.present && i < piece.num_stems; ++i) {
        const float* stem = piece.stem[static_cast<std::size_t>(i)][c];
        if (piece.availability != nullptr) {
          std::transform(stem, stem + piece.num_samples, piece.availability, faded.begin(),
                         std::multiplies<>());
          stem = faded.data();
        }
        note(piece.stems[i], stem);
        for (int n = 0; n < piece.num_samples; ++n) rest[static_cast<std::size_t>(n)] -= stem[n];
      }
      note(piece.residual, rest.data());
    }
    if (taps) tap_.end(piece.num_samples);
  }

 private:
  static float peak_of(const float* samples, int num_samples) noexcept {
    float peak = 0.0F;
    for (int i = 0; i < num_samples; ++i) peak = std::max(peak, std::abs(samples[i]));
    return peak;
  }

  std::atomic<bool> on_{false};      // writer: message; reader: audio
  std::atomic<bool> in_use_{false};  // writer: audio; reader: message
  // Writers: audio, message (swap to 0).
  std::array<std::array<std::atomic<float>, kMaxChannels>, kNumStems> peaks_{};
  StemTap tap_;
};

}  // namespace stemlane
