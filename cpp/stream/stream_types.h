// SPDX-License-Identifier: MIT
// What a stream is set up with, given and asked for.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "core/model_descriptor.h"
#include "core/stems.h"
#include "link/engine_protocol.h"
#include "stream/stem_source.h"

namespace stemlane {

/// How a stream is set up. Everything but the block sizes decides about latency and memory.
struct StreamConfig {
  ModelDescriptor model;
  double sample_rate = 44100.0;  ///< Hz, `kLowestRate` to `kHighestRate`
  int num_channels = 2;          ///< 1 or 2
  int max_block_samples = 1024;  ///< longer blocks are split
  /// Longest block that the host has announced; 0: unknown. An engine may wait for more of the mixture where
  /// blocks are short. Longer ones may come, and this may change without a new source.
  int announced_block_samples = 0;
  /// Where the stems come from. With the same one, and the rest unchanged, a source stays.
  std::shared_ptr<const StemOrigin> origin;
  /// A block's gains act on the samples that leave with it, not on those that come with it.
  bool gains_at_output = false;
  /// Offline, an engine that makes no progress for so long has failed.
  double offline_timeout_seconds = 60.0;
  /// In real time the engine sleeps when nobody has heard stems for so long.
  double sleep_after_seconds = 5.0;

  bool operator==(const StreamConfig&) const = default;
};

/// One block from the host. `out` may be `in`.
struct StreamBlock {
  const float* const* in = nullptr;  ///< (channels, samples)
  float* const* out = nullptr;       ///< (channels, samples): the mix, latency_samples later
  int num_samples = 0;               ///< any number, 0 included
  /// Gains that belong to this block's samples; reached at its end by a linear ramp.
  StemGains gains = kUnityGains;
  /// How sharply stems are told apart from this block's samples on, in percent; see engine/spectral/focus.py.
  StemFocus focus = kNeutralFocus;
  /// Post-fader stems by stem number, (channels, samples), or null where not wanted.
  std::array<float* const*, kNumStems> stem_out{};

  bool takes_stems() const noexcept {
    for (float* const* target : stem_out)
      if (target != nullptr) return true;
    return false;
  }
};

/// State for the editor.
struct StreamStatus {
  EngineState state = EngineState::starting;
  std::string text;
  std::int64_t num_late = 0;  ///< how often stems have been missing in real time
};

}  // namespace stemlane
