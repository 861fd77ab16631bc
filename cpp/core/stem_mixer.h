// SPDX-License-Identifier: MIT
// The mixing equation, and nothing else:
//
//     out = g_r m + sum_i (g_i - g_r) a s_i
//
// m: delayed mixture, s_i: separated stems, g: gains, r: the residual stem, and a the
// availability of the stems, 1 in normal operation and 0 while they are missing.
#pragma once

#include <array>
#include <bit>
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
    if (gains.steady_from(piece.position)) {
      SteadyGains steady;
      for_each_stem(piece, [&](int stem) { steady.gains[index(stem)] = gains.gain(stem, piece.position); });
      write(piece, steady);
    } else {
      for_each_stem(piece, [&](int stem) {
        gains.fill(stem, piece.position, moving_.curves[index(stem)].data(), piece.num_samples);
      });
      write(piece, moving_);
    }
  }

 private:
  static constexpr std::size_t index(int number) noexcept { return static_cast<std::size_t>(number); }

  // The gains within one piece: constants, or a value for each sample. Equal means equal bits.
  struct SteadyGains {
    StemGains gains{};
    float at(int stem, int) const noexcept { return gains[index(stem)]; }
    bool is_unity(int stem, int) const noexcept { return gains[index(stem)] == 1.0F; }
    bool are_equal(int a, int b, int) const noexcept {
      return std::bit_cast<std::uint32_t>(gains[index(a)]) == std::bit_cast<std::uint32_t>(gains[index(b)]);
    }
  };
  struct MovingGains {
    std::array<std::array<float, kMixSamples>, kNumStems> curves{};
    float at(int stem, int n) const noexcept { return curves[index(stem)][index(n)]; }
    bool is_unity(int stem, int num_samples) const noexcept {
      bool unity = true;
      for (int n = 0; n < num_samples; ++n) unity &= at(stem, n) == 1.0F;
      return unity;
    }
    bool are_equal(int a, int b, int num_samples) const noexcept {
      return std::memcmp(curves[index(a)].data(), curves[index(b)].data(),
                         sizeof(float) * index(num_samples)) == 0;
    }
  };

  template <typename Body>
  static void for_each_stem(const MixPiece& piece, const Body& body) noexcept {
    body(piece.residual);
    for (int i = 0; i < piece.num_stems; ++i) body(piece.stems[i]);
  }

  template <typename Gains>
  static void write(const MixPiece& piece, const Gains& gains) noexcept {
    for (std::size_t c = 0; c < index(piece.num_channels); ++c) {
      write_stem_outputs(piece, c, gains);
      write_mix(piece, c, gains);
    }
  }

  // Post-fader stems; the residual is what the others leave of the mixture.
  template <typename Gains>
  static void write_stem_outputs(const MixPiece& piece, std::size_t c, const Gains& gains) noexcept {
    const float* mixture = piece.out[c];
    float* rest = piece.stem_out[index(piece.residual)][c];
    if (rest != nullptr) std::memcpy(rest, mixture, sizeof(float) * index(piece.num_samples));
    for (int i = 0; i < piece.num_stems; ++i) {
      const int stem = piece.stems[i];
      float* target = piece.stem_out[index(stem)][c];
      if (rest == nullptr && target == nullptr) continue;
      for (int n = 0; n < piece.num_samples; ++n) {
        const float value = sample(piece, i, c, n);
        if (rest != nullptr) rest[n] -= value;
        if (target != nullptr) target[n] = gains.at(stem, n) * value;
      }
    }
    if (rest != nullptr)
      for (int n = 0; n < piece.num_samples; ++n) rest[n] *= gains.at(piece.residual, n);
  }

  template <typename Gains>
  static void write_mix(const MixPiece& piece, std::size_t c, const Gains& gains) noexcept {
    float* out = piece.out[c];
    const int residual = piece.residual;
    // A factor of one is not multiplied: the output keeps the input's bits, denormals too.
    if (!gains.is_unity(residual, piece.num_samples))
      for (int n = 0; n < piece.num_samples; ++n) out[n] *= gains.at(residual, n);
    if (!piece.present) return;
    for (int i = 0; i < piece.num_stems; ++i) {
      const int number = piece.stems[i];
      if (gains.are_equal(number, residual, piece.num_samples)) continue;
      const float* stem = piece.stem[index(i)][c];
      if (piece.availability == nullptr) {
        for (int n = 0; n < piece.num_samples; ++n)
          out[n] += (gains.at(number, n) - gains.at(residual, n)) * stem[n];
      } else {
        for (int n = 0; n < piece.num_samples; ++n)
          out[n] += (gains.at(number, n) - gains.at(residual, n)) * piece.availability[n] * stem[n];
      }
    }
  }

  static float sample(const MixPiece& piece, int i, std::size_t channel, int n) noexcept {
    if (!piece.present) return 0.0F;
    const float stem = piece.stem[index(i)][channel][n];
    return piece.availability == nullptr ? stem : piece.availability[n] * stem;
  }

  MovingGains moving_;
};

}  // namespace stemlane
