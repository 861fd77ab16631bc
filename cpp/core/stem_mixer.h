// SPDX-License-Identifier: MIT
// The mixing equation, and nothing else:
//
//     out = g_r m + sum_i (g_i - g_r) a s_i
//
// m: delayed mixture, s_i: separated stems, g: gains, r: the residual stem, and a the
// availability of the stems, 1 in normal operation and 0 while they are missing.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "core/gain_ramp.h"
#include "core/realtime.h"
#include "core/stems.h"

namespace stemlane {

/// Longest piece that is mixed at once; the gain curves of one piece fit the L1 cache.
inline constexpr int kMixSamples = 256;

/// One piece of up to `kMixSamples` samples, all of it contiguous.
struct MixPiece {
  std::int64_t position = 0;  ///< position of the first sample in the music
  int num_samples = 0;
  int num_channels = 0;
  int num_stems = 0;           ///< separated stems
  const int* stems = nullptr;  ///< their stem numbers
  int residual = kOtherStem;
  /// Samples of separated stem i, channel c. Read only where `availability` is not null
  /// or `present` holds.
  std::array<std::array<const float*, kMaxChannels>, kMaxSeparatedStems> stem{};
  bool present = false;                    ///< stems are there
  const float* availability = nullptr;     ///< null: 1 throughout
  std::array<float*, kMaxChannels> out{};  ///< holds the delayed mixture, becomes the mix
  /// Post-fader output of each stem (by stem number), or null.
  std::array<std::array<float*, kMaxChannels>, kNumStems> stem_out{};
};

/// Mixes pieces in place. Audio thread only.
class StemMixer {
 public:
  /// `gains` has been advanced to the piece's position and holds no change within it.
  void mix(const MixPiece& piece, const GainTimeline& gains) noexcept STEMLANE_REALTIME {
    fill_curve(piece, gains, piece.residual);
    for (int i = 0; i < piece.num_stems; ++i) fill_curve(piece, gains, piece.stems[i]);
    for (int channel = 0; channel < piece.num_channels; ++channel) {
      write_stem_outputs(piece, channel);
      write_mix(piece, channel);
    }
  }

 private:
  using Curve = std::array<float, kMixSamples>;
  Curve& curve(int stem) noexcept { return curves_[static_cast<std::size_t>(stem)]; }

  void fill_curve(const MixPiece& piece, const GainTimeline& gains, int stem) noexcept {
    Curve& target = curve(stem);
    if (gains.steady_from(piece.position)) {
      std::fill_n(target.begin(), piece.num_samples, gains.gain(stem, piece.position));
      return;
    }
    for (int i = 0; i < piece.num_samples; ++i)
      target[static_cast<std::size_t>(i)] = gains.gain(stem, piece.position + i);
  }

  // Post-fader stems; the residual is what the others leave of the mixture.
  void write_stem_outputs(const MixPiece& piece, int channel) noexcept {
    const auto c = static_cast<std::size_t>(channel);
    const float* mixture = piece.out[c];
    float* rest = piece.stem_out[static_cast<std::size_t>(piece.residual)][c];
    if (rest != nullptr)
      std::memcpy(rest, mixture, sizeof(float) * static_cast<std::size_t>(piece.num_samples));
    for (int i = 0; i < piece.num_stems; ++i) {
      float* target = piece.stem_out[static_cast<std::size_t>(piece.stems[i])][c];
      const Curve& gain = curve(piece.stems[i]);
      for (int n = 0; n < piece.num_samples; ++n) {
        const float stem = sample(piece, i, c, n);
        if (rest != nullptr) rest[n] -= stem;
        if (target != nullptr) target[n] = gain[static_cast<std::size_t>(n)] * stem;
      }
    }
    if (rest != nullptr)
      for (int n = 0; n < piece.num_samples; ++n)
        rest[n] *= curve(piece.residual)[static_cast<std::size_t>(n)];
  }

  void write_mix(const MixPiece& piece, int channel) noexcept {
    const auto c = static_cast<std::size_t>(channel);
    float* out = piece.out[c];
    const Curve& rest_gain = curve(piece.residual);
    // A factor of one is not multiplied: the output keeps the input's bits, denormals too.
    bool unity = true;
    for (int n = 0; n < piece.num_samples; ++n) unity &= rest_gain[static_cast<std::size_t>(n)] == 1.0F;
    if (!unity)
      for (int n = 0; n < piece.num_samples; ++n) out[n] *= rest_gain[static_cast<std::size_t>(n)];
    if (!piece.present) return;
    for (int i = 0; i < piece.num_stems; ++i) {
      const Curve& gain = curve(piece.stems[i]);
      if (std::memcmp(gain.data(), rest_gain.data(),
                      sizeof(float) * static_cast<std::size_t>(piece.num_samples)) == 0)
        continue;
      const float* stem = piece.stem[static_cast<std::size_t>(i)][c];
      if (piece.availability == nullptr) {
        for (int n = 0; n < piece.num_samples; ++n)
          out[n] += (gain[static_cast<std::size_t>(n)] - rest_gain[static_cast<std::size_t>(n)]) * stem[n];
      } else {
        for (int n = 0; n < piece.num_samples; ++n)
          out[n] += (gain[static_cast<std::size_t>(n)] - rest_gain[static_cast<std::size_t>(n)]) *
                    piece.availability[n] * stem[n];
      }
    }
  }

  static float sample(const MixPiece& piece, int i, std::size_t channel, int n) noexcept {
    if (!piece.present) return 0.0F;
    const float stem = piece.stem[static_cast<std::size_t>(i)][channel][n];
    return piece.availability == nullptr ? stem : piece.availability[n] * stem;
  }

  std::array<Curve, kNumStems> curves_{};
};

}  // namespace stemlane
