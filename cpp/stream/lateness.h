// SPDX-License-Identifier: MIT
// When stems that do not arrive are late, and how long that and other trouble is shown.
#pragma once

#include <atomic>
#include <cstdint>

#include "core/realtime.h"

namespace stemlane {

/// How long trouble stays visible.
inline constexpr double kTroubleSeconds = 2.0;
/// How long waking up may take before missing stems count as late.
inline constexpr double kWakeUpSeconds = 1.0;

/// Trouble that is shown for a while, on the clock of the music. `note` and `clear` belong to the
/// audio thread.
class ShownTrouble {
 public:
  void note(std::int64_t until) noexcept STEMLANE_REALTIME { until_.store(until, std::memory_order_relaxed); }
  void clear() noexcept STEMLANE_REALTIME { until_.store(0, std::memory_order_relaxed); }
  /// Any thread.
  bool is_shown(std::int64_t position) const noexcept {
    return position < until_.load(std::memory_order_relaxed);
  }

 private:
  std::atomic<std::int64_t> until_{0};
};

/// Counts how often stems have been late in real time. Audio thread unless said otherwise.
class Lateness {
 public:
  /// Control thread, audio stopped.
  void prepare(double sample_rate, int latency_samples) noexcept {
    shown_samples_ = static_cast<std::int64_t>(kTroubleSeconds * sample_rate);
    excused_samples_ = latency_samples + static_cast<std::int64_t>(kWakeUpSeconds * sample_rate);
  }
  void reset() noexcept STEMLANE_REALTIME {
    missing_ = false;
    shown_.clear();
  }

  /// Nothing is late for a while: the engine is waking up.
  void excuse(std::int64_t input_position) noexcept STEMLANE_REALTIME {
    excused_until_ = input_position + excused_samples_;
  }

  /// Notes whether stems were missing in a piece that could be heard. An engine that has just
  /// become ready is excused until it has caught up once.
  void note(bool missing, bool ready, bool wanted, std::int64_t input_position) noexcept STEMLANE_REALTIME {
    if (ready && !ready_) excuse(input_position);
    ready_ = ready;
    if (!missing) excused_until_ = 0;
    if (!ready || !wanted || input_position < excused_until_) missing = false;
    if (missing && !missing_) num_late_.fetch_add(1, std::memory_order_relaxed);
    if (missing) shown_.note(input_position + shown_samples_);
    missing_ = missing;
  }

  /// Any thread.
  std::int64_t num_late() const noexcept { return num_late_.load(std::memory_order_relaxed); }
  bool is_late(std::int64_t input_position) const noexcept { return shown_.is_shown(input_position); }

 private:
  std::int64_t shown_samples_ = 0;
  std::int64_t excused_samples_ = 0;
  bool missing_ = false;
  bool ready_ = false;
  std::int64_t excused_until_ = 0;
  std::atomic<std::int64_t> num_late_{0};
  ShownTrouble shown_;
};

}  // namespace stemlane
