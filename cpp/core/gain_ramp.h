// SPDX-License-Identifier: MIT
// Stem gains as a function of the position in the music: linear ramps that start
// where the host set them, so that a gain set with a block acts on that block's
// samples when they leave, `latency_samples` later.
#pragma once

#include <algorithm>
#include <cassert>
#include <cstdint>
#include <limits>
#include <vector>

#include "core/realtime.h"
#include "core/stems.h"

namespace stemlane {

/// Shortest ramp: 256 samples (5.8 ms at 44.1 kHz) keep a switched fader free of
/// clicks when the host's blocks are tiny. A longer block is ramped over its length,
/// which joins the points of an automation lane by straight lines.
inline constexpr std::int64_t kMinRampSamples = 256;

/// A queue of gain changes, each with the position at which it starts. Written and
/// read by the audio thread only. The gain at a position depends on nothing but the
/// changes, never on how the audio is cut into blocks.
class GainTimeline {
 public:
  /// Sizes the queue for changes that wait up to `num_samples`, one a sample included: 40 bytes
  /// each, 20 MB at the longest latency of any model. Control thread, audio stopped.
  void prepare(std::int64_t num_samples) {
    queue_.assign(static_cast<std::size_t>(num_samples + 1), {});
    first_ = count_ = 0;
  }

  /// Forgets all changes; the gains are `gains` everywhere.
  void reset(const StemGains& gains) noexcept STEMLANE_REALTIME {
    first_ = count_ = 0;
    latest_ = gains;
    ramp_ = {std::numeric_limits<std::int64_t>::min() / 2, 1, gains, gains};
  }

  /// From `position` on, moves linearly to `gains` within `num_samples` (at least
  /// `kMinRampSamples`). Positions must not decrease; of two changes at one position the
  /// later one counts.
  void set(std::int64_t position, std::int64_t num_samples,
           const StemGains& gains) noexcept STEMLANE_REALTIME {
    if (gains == latest_) return;
    latest_ = gains;
    if (count_ == 0 || at(count_ - 1).position != position) {
      assert(count_ < queue_.size());
      ++count_;
    }
    at(count_ - 1) = {position, std::max(num_samples, kMinRampSamples), gains};
  }

  /// Starts the changes that are due at `position`; call with rising positions.
  void advance_to(std::int64_t position) noexcept STEMLANE_REALTIME {
    while (count_ > 0) {
      const Change& change = at(0);
      if (change.position > position) return;
      StemGains from;
      for (int stem = 0; stem < kNumStems; ++stem) from[index(stem)] = gain(stem, change.position);
      ramp_ = {change.position, change.num_samples, from, change.gains};
      first_ = (first_ + 1) % queue_.size();
      --count_;
    }
  }

  /// Samples from `position` on, `wanted` at most, within which no queued change starts.
  /// `advance_to` has reached `position`.
  std::int64_t until_change(std::int64_t position, std::int64_t wanted) const noexcept STEMLANE_REALTIME {
    if (count_ == 0) return wanted;
    return std::min(wanted, at(0).position - position);
  }

  /// Gain of `stem` at `position`, which `advance_to` has reached.
  float gain(int stem, std::int64_t position) const noexcept STEMLANE_REALTIME {
    const float from = ramp_.from[index(stem)];
    const float to = ramp_.to[index(stem)];
    const std::int64_t elapsed = position - ramp_.position;
    if (elapsed >= ramp_.num_samples || from == to) return to;
    return from + (to - from) * (static_cast<float>(elapsed) / static_cast<float>(ramp_.num_samples));
  }

  /// True if no gain moves at or after `position`, up to the next queued change.
  bool steady_from(std::int64_t position) const noexcept STEMLANE_REALTIME {
    return ramp_.from == ramp_.to || position - ramp_.position >= ramp_.num_samples;
  }

  /// True if, from `position` up to `end`, every stem in the set has the gain of `residual`
  /// at each moment, so that the stems cancel out of the mix.
  template <typename StemList>
  bool all_equal(const StemList& stems, int residual, std::int64_t position,
                 std::int64_t end) const noexcept STEMLANE_REALTIME {
    const auto equal = [&](const StemGains& gains) {
      for (const int stem : stems)
        if (gains[index(stem)] != gains[index(residual)]) return false;
      return true;
    };
    if (!equal(ramp_.to)) return false;
    if (!steady_from(position) && !equal(ramp_.from)) return false;
    for (std::size_t i = 0; i < count_; ++i) {
      const Change& change = at(i);
      if (change.position >= end) break;
      if (!equal(change.gains)) return false;
    }
    return true;
  }

 private:
  static constexpr std::size_t index(int stem) noexcept { return static_cast<std::size_t>(stem); }

  struct Change {
    std::int64_t position;
    std::int64_t num_samples;
    StemGains gains;
  };
  struct Ramp {
    std::int64_t position;
    std::int64_t num_samples;
    StemGains from;
    StemGains to;
  };

  // Number `i` of those that wait, the next one first.
  const Change& at(std::size_t i) const noexcept { return queue_[(first_ + i) % queue_.size()]; }
  Change& at(std::size_t i) noexcept { return queue_[(first_ + i) % queue_.size()]; }

  std::vector<Change> queue_ = std::vector<Change>(1);
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  StemGains latest_ = kUnityGains;
  Ramp ramp_{0, 1, kUnityGains, kUnityGains};
};

}  // namespace stemlane
