// SPDX-License-Identifier: MIT
// What comes out, as a function of what has come in and of the stems that are there: timeline,
// delayed mixture, gains and mixer. No clock, no threads, no engine; the policies beside it say
// what happens around it.
#pragma once

#include <array>
#include <cstdint>

#include "core/delayed_mixture.h"
#include "core/gain_ramp.h"
#include "core/realtime.h"
#include "core/stem_mixer.h"
#include "stream/meters.h"
#include "stream/stem_source.h"
#include "stream/stream_types.h"

namespace stemlane {

/// What was heard of the stems in a piece.
enum class PieceStems {
  unheard,  ///< they cancel out, or lie before the beginning
  missing,  ///< not there
  invalid,  ///< there, but no sound
  fading,   ///< there in part
  whole,
};

/// Audio thread, unless said otherwise.
class StreamCore {
 public:
  /// Sizes the memory; the timeline begins with the next `begin_generation`. Control thread.
  void prepare(const StreamConfig& config, std::int64_t latency_samples);

  /// Forgets the past and starts a new timeline; returns its first position, where no other has started.
  std::int64_t begin_generation() noexcept STEMLANE_REALTIME;

  /// Takes `block.num_samples` of the mixture, and gains that are reached within `ramp_samples`.
  void push(const StreamBlock& block, std::int64_t ramp_samples) noexcept STEMLANE_REALTIME;

  /// Fills the block with the delayed mixture; `mix` follows until all of it is done.
  void begin_pull(const StreamBlock& block) const noexcept STEMLANE_REALTIME;

  struct Piece {
    int num_samples = 0;
    PieceStems stems = PieceStems::unheard;
  };
  /// Mixes from `offset` on as far as one set of ramps and one state of the stems reach. If
  /// `skip_cancelled`, stems that cancel out are not looked at: whether they are there is not heard
  /// then, now or later. `meters` is null if nobody watches.
  Piece mix(const StreamBlock& block, int offset, const StemSource& source, StemRange range,
            bool skip_cancelled, Meters* meters) noexcept STEMLANE_REALTIME;

  /// True if the next `block.num_samples` samples to go out need no stems beyond `range`.
  bool stems_suffice(const StreamBlock& block, StemRange range) noexcept STEMLANE_REALTIME;

  std::int64_t input_position() const noexcept { return input_position_; }      ///< next sample to come in
  std::int64_t generation_start() const noexcept { return generation_start_; }  ///< first one since `begin`

 private:
  bool audible(const StreamBlock& block, int num_samples) const noexcept STEMLANE_REALTIME;
  PieceStems find_stems(MixPiece& piece, const StemSource& source,
                        StemRange range) noexcept STEMLANE_REALTIME;
  bool copy_stems(MixPiece& piece, const StemSource& source) noexcept STEMLANE_REALTIME;
  bool fade(MixPiece& piece, std::int64_t end) noexcept STEMLANE_REALTIME;

  ModelDescriptor model_;
  int num_channels_ = 0;
  bool gains_at_output_ = false;
  std::int64_t latency_ = 0;

  DelayedMixture delayed_;
  GainTimeline gains_;
  StemMixer mixer_;
  std::int64_t input_position_ = 0;
  std::int64_t generation_start_ = -1;
  std::int64_t output_position_ = 0;  ///< position of the next sample to go out
  bool snap_gains_ = true;            ///< first block since the beginning: no ramp
  float available_ = 1.0F;            ///< availability of the stems at the last sample
  std::array<float, kMixSamples> availability_{};
  std::array<std::array<std::array<float, kMixSamples>, kMaxChannels>, kMaxSeparatedStems> stems_{};
};

}  // namespace stemlane
