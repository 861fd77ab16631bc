// SPDX-License-Identifier: MIT
// Waiting for an engine while rendering offline, and giving up: the only place of the audio
// thread that waits. Never used in real time.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <string>

#include "core/contract.h"
#include "core/realtime.h"
#include "stream/stem_source.h"

namespace stemlane {

/// Audio thread unless said otherwise. Once it has failed, it waits no more until `reset`.
class OfflineWait {
 public:
  void prepare(double timeout_seconds) noexcept { timeout_seconds_ = timeout_seconds; }

  /// For a new generation; `num_failures` of the engine so far. Also in real time.
  void reset(std::int64_t num_failures) noexcept STEMLANE_REALTIME {
    failed_ = false;
    // An engine that fails before its first stems is started once more.
    failures_allowed_ = 1 + num_failures;
    error_set_.store(false, std::memory_order_relaxed);
  }

  bool has_failed() const noexcept STEMLANE_REALTIME { return failed_; }

  /// Waits until `done`, or until the engine has failed or stood still for too long.
  template <typename Done>
  void wait_until(const StemSource& source, OfflineEngine& engine, std::int64_t generation_start, Done done) {
    using Clock = std::chrono::steady_clock;
    auto progress = Clock::now();
    std::int64_t end = source.range().end;
    std::int64_t watched = engine.num_failures();
    engine_has_failed(source, engine, generation_start);
    while (!failed_ && !done()) {
      if (engine_has_failed(source, engine, generation_start)) return fail(engine.last_failure());
      if (!engine.is_ready()) engine.start_now();
      engine.wait(kWaitNanoseconds);
      const std::int64_t now = source.range().end;
      if (now != end || engine.num_failures() != watched) {
        end = now;
        watched = engine.num_failures();  // another engine has all its time
        progress = Clock::now();
      } else if (std::chrono::duration<double>(Clock::now() - progress).count() > timeout_seconds_) {
        const std::string reason = "the engine made no progress for " +
                                   std::to_string(std::lround(timeout_seconds_)) + " s and was stopped";
        engine.give_up(watched, reason);
        return fail(reason);
      }
    }
  }

  void fail(const std::string& reason) {
    failed_ = true;
    const std::lock_guard lock(mutex_);
    error_ = std::string(contract::kIncompleteRender) + ": " + reason;
    error_set_.store(true, std::memory_order_release);
  }

  /// Why the render is incomplete; empty if it is not. Any thread but the audio thread.
  std::string error() const {
    if (!error_set_.load(std::memory_order_acquire)) return {};
    const std::lock_guard lock(mutex_);
    return error_;
  }

 private:
  static constexpr std::int64_t kWaitNanoseconds = 5'000'000;

  bool engine_has_failed(const StemSource& source, const OfflineEngine& engine,
                         std::int64_t generation_start) noexcept {
    const std::int64_t failures = engine.num_failures();
    // From the first stems on, none more.
    if (source.range().end > generation_start) failures_allowed_ = std::min(failures_allowed_, failures);
    return failures > failures_allowed_ || (failures > 0 && engine.refused());
  }

  double timeout_seconds_ = 60.0;
  bool failed_ = false;
  std::int64_t failures_allowed_ = 0;
  std::atomic<bool> error_set_{false};  // writer: audio; reader: message
  mutable std::mutex mutex_;            // guards the text; never taken in real time
  std::string error_;
};

}  // namespace stemlane
