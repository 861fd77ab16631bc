// SPDX-License-Identifier: MIT
// Stem gains as a function of the position in the music: linear ramps that start
// where the host set them, so that a gain set with a block acts on that block's
// samples when they leave, `latency_samples` later.
#pragma once

#include <algorithm>
#include <bit>
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
  /// Sizes the queue for changes that wait up to `num_samples` (below 2^32), one a sample included,
  /// of the stems `stems` and no others: 8 bytes a change and 4 a stem. Control thread, audio stopped.
  void prepare(std::int64_t num_samples, const std::vector<int>& stems) {
    stems_ = stems;
    queue_.assign(static_cast<std::size_t>(num_samples + 1) * change_words(), 0);
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
    if (count_ == 0 || latest_position_ != position) {
      assert((count_ + 1) * change_words() <= queue_.size());
      ++count_;
    }
    latest_position_ = position;
    std::uint32_t* word = change(count_ - 1);
    *word++ = static_cast<std::uint32_t>(position);
    *word++ = static_cast<std::uint32_t>(std::max(num_samples, kMinRampSamples));
    for (const int stem : stems_) *word++ = std::bit_cast<std::uint32_t>(gains[index(stem)]);
  }

  /// Starts the changes that are due at `position`; call with rising positions.
  void advance_to(std::int64_t position) noexcept STEMLANE_REALTIME {
    while (count_ > 0) {
      const std::int64_t start = position_of(0);
      if (start > position) return;
      const StemGains to = gains_of(0);
      StemGains from = to;
      for (const int stem : stems_) from[index(stem)] = gain(stem, start);
      ramp_ = {start, change(0)[1], from, to};
      first_ += change_words();
      if (first_ == queue_.size()) first_ = 0;
      --count_;
    }
  }

  /// Samples from `position` on, `wanted` at most, within which no queued change starts.
  /// `advance_to` has reached `position`.
  std::int64_t until_change(std::int64_t position, std::int64_t wanted) const noexcept STEMLANE_REALTIME {
    if (count_ == 0) return wanted;
    return std::min(wanted, position_of(0) - position);
  }

  /// Gain of `stem` at `position`, which `advance_to` has reached.
  float gain(int stem, std::int64_t position) const noexcept STEMLANE_REALTIME {
    const float from = ramp_.from[index(stem)];
    const float to = ramp_.to[index(stem)];
    const std::int64_t elapsed = position - ramp_.position;
    if (elapsed >= ramp_.num_samples || from == to) return to;
    return from + (to - from) * (static_cast<float>(elapsed) / static_cast<float>(ramp_.num_samples));
  }

  /// Gains of `stem` at `num_samples` positions from `position` on, which `advance_to` has reached
  /// and up to the last of which no queued change starts: what `gain` says of each.
  void fill(int stem, std::int64_t position, float* target,
            int num_samples) const noexcept STEMLANE_REALTIME {
    const float from = ramp_.from[index(stem)];
    const float to = ramp_.to[index(stem)];
    const std::int64_t left = ramp_.num_samples - (position - ramp_.position);
    int moving = 0;
    if (from != to) moving = static_cast<int>(std::clamp<std::int64_t>(left, 0, num_samples));
    const auto elapsed = static_cast<int>(moving > 0 ? position - ramp_.position : 0);
    const auto length = static_cast<float>(ramp_.num_samples);
    for (int i = 0; i < moving; ++i)
      target[i] = from + (to - from) * (static_cast<float>(elapsed + i) / length);
    std::fill_n(target + moving, num_samples - moving, to);
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
    for (std::size_t i = 0; i < count_ && position_of(i) < end; ++i)
      if (!equal(gains_of(i))) return false;
    return true;
  }

 private:
  static constexpr std::size_t index(int stem) noexcept { return static_cast<std::size_t>(stem); }

  struct Ramp {
    std::int64_t position;
    std::int64_t num_samples;
    StemGains from;
    StemGains to;
  };

  // A change is the low half of its position, the length of its ramp, and the gain of each of `stems_`.
  std::size_t change_words() const noexcept { return 2 + stems_.size(); }
  // Number `i` of those that wait, the next one first.
  std::size_t offset(std::size_t i) const noexcept {
    const std::size_t words = first_ + i * change_words();
    return words < queue_.size() ? words : words - queue_.size();
  }
  const std::uint32_t* change(std::size_t i) const noexcept { return queue_.data() + offset(i); }
  std::uint32_t* change(std::size_t i) noexcept { return queue_.data() + offset(i); }
  std::int64_t position_of(std::size_t i) const noexcept {
    return latest_position_ - (static_cast<std::uint32_t>(latest_position_) - change(i)[0]);
  }
  // Other stems than `stems_` are said to have a gain of 1.
  StemGains gains_of(std::size_t i) const noexcept {
    StemGains gains = kUnityGains;
    const std::uint32_t* word = change(i) + 2;
    for (const int stem : stems_) gains[index(stem)] = std::bit_cast<float>(*word++);
    return gains;
  }

  std::vector<int> stems_;
  std::vector<std::uint32_t> queue_;
  std::size_t first_ = 0;  ///< word of the next change
  std::size_t count_ = 0;
  std::int64_t latest_position_ = 0;  ///< of the last change that was set
  StemGains latest_ = kUnityGains;
  Ramp ramp_{0, 1, kUnityGains, kUnityGains};
};

}  // namespace stemlane
