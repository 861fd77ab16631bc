// SPDX-License-Identifier: GPL-3.0-or-later
// What the audio thread does of a capture: waits for a bar line of the host, copies what passes into a ring,
// and ends at the right sample. Somebody else takes it from the ring.
#pragma once

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "capture/HostClock.h"
#include "core/realtime.h"
#include "core/sample_ring.h"
#include "core/stems.h"

namespace stemlane {

/// `write` belongs to the audio thread, `begin` and `end` to the message thread, the rest to whoever takes
/// the samples. What is taken has no gap: a capture ends where the ring is full.
class CaptureTake {
 public:
  /// 6 s at 44.1 kHz, 0.7 s at the highest rate.
  static constexpr std::int64_t kCapacity = 1 << 18;

  struct Plan {
    int numBars = 0;  ///< from the next bar line on; 0: at once, until `end`
    int numChannels = 2;
    double sampleRate = 44100.0;
    std::int64_t mostSamples = 0;
  };
  enum class Phase { idle, waiting, recording, ended };
  /// Why one has ended: it was asked to, it is complete, the host has stopped, it has become too long, nobody
  /// has taken it from the ring in time, the track has other channels, the audio was set up anew.
  enum class Reason { asked, bars, transport, limit, full, channels, setUp };

  /// Begins, if the last one has been finished. Takes the memory with the first call.
  bool begin(const Plan& plan) {
    if (phase() != Phase::idle) return false;
    if (memory_.empty()) {
      memory_.assign(static_cast<std::size_t>(kMaxChannels * kCapacity), 0.0F);
      ring_ = SampleRing(memory_.data(), kMaxChannels, kCapacity);
    }
    plan_ = plan;
    quartersLeft_ = 0.0;
    taken_.store(0, std::memory_order_relaxed);
    written_.store(0, std::memory_order_relaxed);
    state_.store(plan.numBars > 0 ? kWaiting : kRecording);
    return true;
  }
  /// Ends it where it is. Any thread.
  void end(Reason reason = Reason::asked) noexcept STEMLANE_REALTIME {
    for (int state : {kWaiting, kRecording})
      state_.compare_exchange_strong(state, kEnded + static_cast<int>(reason));
  }

  Phase phase() const noexcept { return static_cast<Phase>(std::min(state_.load(), kEnded)); }
  /// Samples that have been copied. Any thread.
  std::int64_t numWritten() const noexcept { return written_.load(std::memory_order_acquire); }

  /// Copies a block, or the part of it that belongs to the capture.
  void write(const float* const* channels, int numChannels, int numSamples,
             const HostClock& clock) noexcept STEMLANE_REALTIME {
    isInside_.store(true);
    if (phase() == Phase::waiting || phase() == Phase::recording)
      writeInside(channels, numChannels, numSamples, clock);
    isInside_.store(false);
  }
  /// False if a block of this length would end the capture because the ring is full.
  bool hasRoom(int numSamples) const noexcept {
    return phase() != Phase::recording ||
           numWritten() + numSamples - taken_.load(std::memory_order_acquire) <= kCapacity;
  }

  /// True if nothing more will be written; looked at before `numReady`, nothing is missed.
  bool isOver() const noexcept { return phase() == Phase::ended && !isInside_.load(); }
  std::int64_t numReady() const noexcept { return numWritten() - taken_.load(std::memory_order_relaxed); }
  /// Copies the next `numSamples` (at most `numReady`) of each channel.
  void read(float* const* channels, int numSamples) noexcept {
    const std::int64_t from = taken_.load(std::memory_order_relaxed);
    for (int channel = 0; channel < plan_.numChannels; ++channel)
      ring_.read(channel, from, channels[channel], numSamples);
    taken_.store(from + numSamples, std::memory_order_release);
  }
  /// After `isOver`: another one may begin. Says why this one has ended.
  Reason finish() noexcept { return static_cast<Reason>(state_.exchange(kIdle) - kEnded); }

 private:
  static constexpr int kIdle = static_cast<int>(Phase::idle);
  static constexpr int kWaiting = static_cast<int>(Phase::waiting);
  static constexpr int kRecording = static_cast<int>(Phase::recording);
  static constexpr int kEnded = static_cast<int>(Phase::ended);  ///< and above, by the reason

  void writeInside(const float* const* channels, int numChannels, int numSamples,
                   const HostClock& clock) noexcept STEMLANE_REALTIME {
    if (numChannels != plan_.numChannels) return end(Reason::channels);
    int first = 0;
    if (phase() == Phase::waiting) {
      const auto start = barLineIn(clock, numSamples);
      if (!start) return;
      first = *start;
      quartersLeft_ = plan_.numBars * clock.quartersPerBar;
      int expected = kWaiting;
      if (!state_.compare_exchange_strong(expected, kRecording)) return;
    } else if (plan_.numBars > 0 && !(clock.isPlaying && clock.hasBars())) {
      return end(Reason::transport);
    }
    std::int64_t count = numSamples - first;
    std::optional<Reason> reason;
    if (plan_.numBars > 0) {
      // What has passed counts, not where the host is: it may go round in a loop, and its tempo may change.
      const double perQuarter = samplesPerQuarter(clock);
      const std::int64_t left = std::llround(quartersLeft_ * perQuarter);
      if (left <= count) reason = Reason::bars;
      count = std::min(count, left);
      quartersLeft_ -= static_cast<double>(count) / perQuarter;
    }
    const std::int64_t written = written_.load(std::memory_order_relaxed);
    if (written + count > plan_.mostSamples) {
      reason = Reason::limit;
      count = plan_.mostSamples - written;
    }
    if (written + count - taken_.load(std::memory_order_acquire) > kCapacity) return end(Reason::full);
    for (int channel = 0; channel < numChannels; ++channel)
      ring_.write(channel, written, channels[channel] + first, count);
    written_.store(written + count, std::memory_order_release);
    if (reason) end(*reason);
  }

  double samplesPerQuarter(const HostClock& clock) const noexcept {
    return 60.0 * plan_.sampleRate / clock.quartersPerMinute;
  }
  /// Where the next bar begins, if that is in a block: at the sample that is nearest.
  std::optional<int> barLineIn(const HostClock& clock, int numSamples) const noexcept {
    if (!clock.isPlaying || !clock.hasBars()) return std::nullopt;
    const double perBar = samplesPerQuarter(clock) * clock.quartersPerBar;
    const double into = (clock.position - clock.barStart) / clock.quartersPerBar;
    // Half a sample after a line is on it.
    const double offset = std::round((std::ceil(into - 0.5 / perBar) - into) * perBar);
    if (!(offset >= -0.5 && offset < numSamples)) return std::nullopt;
    return std::max(0, static_cast<int>(offset));
  }

  std::vector<float> memory_;
  SampleRing ring_;
  Plan plan_;                  // written before a capture begins
  double quartersLeft_ = 0.0;  // audio thread, once it has begun

  std::atomic<int> state_{kIdle};         // writers: message, audio (to recording, ended), taker (to idle)
  std::atomic<bool> isInside_{false};     // writer: audio; readers: the others
  std::atomic<std::int64_t> written_{0};  // writer: audio; readers: all
  std::atomic<std::int64_t> taken_{0};    // writer: taker; reader: audio
};

}  // namespace stemlane
