// SPDX-License-Identifier: MIT
// Whether anyone can hear stems: while nobody can, the engine sleeps.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/realtime.h"

namespace stemlane {

/// What an engine that wakes up in the middle of music hears before the first stem that is heard, beyond
/// latency and delay. The stems of the embedded models are then within -30 dB of the mixture of those
/// without the sleep.
inline constexpr double kWarmUpSeconds = 0.5;

/// Audio thread unless said otherwise.
class Sleep {
 public:
  /// Control thread, audio stopped. In samples: how long nobody hears stems before a sleep, what is
  /// still inside after that, what a woken engine hears beforehand, and what it hears after silence.
  void prepare(double sleep_after, int latency, std::int64_t warm_up, int fade_in) noexcept {
    sleep_after_ = sleep_after;
    latency_ = latency;
    warm_up_ = warm_up;
    fade_in_ = fade_in;
  }
  void reset(std::int64_t position) noexcept STEMLANE_REALTIME { heard_until_ = sound_until_ = position; }

  /// Takes note of a block of `num_samples` from `position` on: `heard` if someone hears, takes or
  /// watches stems, `sound` if it is not silence. Offline the engine never sleeps: a bounce is the
  /// same every time. True if the engine is to wake up now.
  bool update(std::int64_t position, int num_samples, bool heard, bool sound,
              bool offline) noexcept STEMLANE_REALTIME {
    const std::int64_t silent = position - sound_until_;
    const std::int64_t end = position + num_samples;
    if (heard) heard_until_ = end;
    if (sound) sound_until_ = end;
    const std::int64_t idle = end - std::min(heard_until_, sound_until_) - latency_;
    const bool wanted = offline || static_cast<double>(idle) < sleep_after_;
    const bool wakes = wanted && !wanted_;
    // In the middle of music the state must warm up; after silence, stems fade in before it ends.
    if (wakes) resume_position_ = position - (silent > warm_up_ ? fade_in_ : warm_up_);
    wanted_ = wanted;
    return wakes;
  }

  /// Someone hears stems, or has a moment ago.
  bool is_wanted() const noexcept STEMLANE_REALTIME { return wanted_; }
  /// Where an engine goes on that wakes up too late for all.
  std::int64_t resume_position() const noexcept STEMLANE_REALTIME { return resume_position_; }

 private:
  double sleep_after_ = 0.0;
  int latency_ = 0;
  std::int64_t warm_up_ = 0;
  int fade_in_ = 0;
  bool wanted_ = true;
  std::int64_t heard_until_ = 0;  ///< input position up to which stems are heard
  std::int64_t sound_until_ = 0;  ///< input position up to which there is sound
  std::int64_t resume_position_ = 0;
};

}  // namespace stemlane
