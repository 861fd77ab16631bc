// SPDX-License-Identifier: MIT
// Levels of the stems after their faders.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <cstring>

#include "core/gain_ramp.h"
#include "core/realtime.h"
#include "core/stem_mixer.h"

namespace stemlane {

/// `measure` belongs to the audio thread, `take` to one message thread.
class Meters {
 public:
  void set_on(bool on) noexcept { on_.store(on, std::memory_order_relaxed); }
  bool is_on() const noexcept { return on_.load(std::memory_order_relaxed); }

  /// Peak of a stem since the last call, linear.
  float take(int stem) noexcept {
    return peaks_[static_cast<std::size_t>(stem)].exchange(0.0F, std::memory_order_relaxed);
  }

  /// Looks at a piece that is not mixed yet: its `out` is the delayed mixture.
  void measure(const MixPiece& piece, const GainTimeline& gains) noexcept STEMLANE_REALTIME {
    const std::int64_t last = piece.position + piece.num_samples - 1;
    const auto note = [&](int stem, float peak) {
      std::atomic<float>& seen = peaks_[static_cast<std::size_t>(stem)];
      peak *= gains.gain(stem, last);
      if (peak > seen.load(std::memory_order_relaxed)) seen.store(peak, std::memory_order_relaxed);
    };
    for (std::size_t c = 0; c < static_cast<std::size_t>(piece.num_channels); ++c) {
      std::array<float, kMixSamples> rest;
      std::memcpy(rest.data(), piece.out[c], sizeof(float) * static_cast<std::size_t>(piece.num_samples));
      for (int i = 0; piece.present && i < piece.num_stems; ++i) {
        const float* stem = piece.stem[static_cast<std::size_t>(i)][c];
        note(piece.stems[i], peak_of(stem, piece.num_samples));
        for (int n = 0; n < piece.num_samples; ++n) rest[static_cast<std::size_t>(n)] -= stem[n];
      }
      note(piece.residual, peak_of(rest.data(), piece.num_samples));
    }
  }

 private:
  static float peak_of(const float* samples, int num_samples) noexcept {
    float peak = 0.0F;
    for (int i = 0; i < num_samples; ++i) peak = std::max(peak, std::abs(samples[i]));
    return peak;
  }

  std::atomic<bool> on_{false};                        // writer: message; reader: audio
  std::array<std::atomic<float>, kNumStems> peaks_{};  // writers: audio, message (swap to 0)
};

}  // namespace stemlane
