// SPDX-License-Identifier: MIT
// The two ends of the shared memory: which stores and loads publish what, in which
// order. The host end never waits; the engine end runs in the engine process (or, in
// tests, on a thread).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>

#include "core/realtime.h"
#include "core/strides.h"
#include "link/shared_audio.h"

namespace stemlane {

/// The host's end. `write_mixture`, `stems_range` and `set_wanted` belong to the audio thread.
class HostEnd {
 public:
  explicit HostEnd(SharedAudio& memory) noexcept : memory_(memory), header_(memory.header()) {
    header_.wanted.store(1, std::memory_order_relaxed);
  }

  /// The longest block that is to be expected; 0: unknown. Control thread, no block is being processed.
  void expect_blocks(std::int64_t num_samples) noexcept {
    block_samples_ = num_samples;
    header_.block_samples.store(num_samples, std::memory_order_relaxed);
  }

  /// Starts a new generation at `position`, where no other one has started. No block is being processed
  /// meanwhile.
  void begin_generation(std::int64_t position) noexcept STEMLANE_REALTIME {
    generation_start_ = position;
    // An engine that sees a later mixture_end also sees the generation it belongs to. One that
    // sees the generation first waits for its first samples.
    header_.generation_start.store(position, std::memory_order_release);
    header_.mixture_end.store(position, std::memory_order_release);
  }

  void write_mixture(std::int64_t position, const float* const* mixture,
                     int num_samples) noexcept STEMLANE_REALTIME {
    for (int channel = 0; channel < memory_.num_channels(); ++channel)
      memory_.mixture().write(channel, position, mixture[channel], num_samples);
    if (block_samples_ > 0) block_samples_ = std::max<std::int64_t>(block_samples_, num_samples);
    // Said again with each block, in case the engine has written over it.
    header_.block_samples.store(block_samples_, std::memory_order_relaxed);
    header_.generation_start.store(generation_start_, std::memory_order_release);
    header_.mixture_end.store(position + num_samples, std::memory_order_release);
  }

  /// Before `write_mixture` of the same samples: one value for each separated stem, then the residual stem's.
  void write_focus(std::int64_t position, int num_samples, const float* values) noexcept STEMLANE_REALTIME {
    constexpr std::int64_t kGrid = kFocusGridSamples;
    const std::int64_t end = (position + num_samples + kGrid - 1) / kGrid;
    for (std::int64_t point = (position + kGrid - 1) / kGrid; point < end; ++point)
      for (int plane = 0; plane < memory_.focus().num_planes(); ++plane)
        *memory_.focus().at(plane, point) = values[plane];
  }

  struct Range {
    std::int64_t begin = 0;
    std::int64_t end = std::numeric_limits<std::int64_t>::min() / 2;
  };

  /// Positions whose stems are in the ring now.
  Range stems_range() const noexcept STEMLANE_REALTIME {
    if (header_.stems_generation.load(std::memory_order_acquire) != generation_start_) return {};
    // end before begin: after the engine has skipped, an old end meets a new begin and
    // the range is empty.
    const std::int64_t end = header_.stems_end.load(std::memory_order_acquire);
    const std::int64_t begin = header_.stems_begin.load(std::memory_order_acquire);
    return {begin, end};
  }

  /// First of the samples of stem `stem`, channel `channel` from `position` on.
  const float* stem(int stem, int channel, std::int64_t position) const noexcept STEMLANE_REALTIME {
    return memory_.stems().at(stem * memory_.num_channels() + channel, position);
  }
  std::int64_t contiguous(std::int64_t position, std::int64_t wanted) const noexcept STEMLANE_REALTIME {
    return memory_.stems().contiguous(position, wanted);
  }
  std::int64_t capacity() const noexcept { return memory_.capacity(); }

  void set_offline(bool offline) noexcept STEMLANE_REALTIME {
    header_.offline.store(offline ? 1 : 0, std::memory_order_relaxed);
  }
  /// Tells the engine whether anyone can hear stems. It may sleep otherwise; when they are
  /// wanted again it goes on where it was, or at `resume_position` if that is later.
  void set_wanted(bool wanted, std::int64_t resume_position) noexcept STEMLANE_REALTIME {
    header_.resume_position.store(resume_position, std::memory_order_relaxed);
    header_.wanted.store(wanted ? 1 : 0, std::memory_order_release);
  }
  /// Offline only (system calls).
  void wake_engine() noexcept { memory_.mixture_written().signal(); }
  void wait_for_engine(std::int64_t nanoseconds) noexcept { memory_.stems_written().wait(nanoseconds); }

 private:
  SharedAudio& memory_;
  SharedHeader& header_;
  std::int64_t generation_start_ = -1;
  std::int64_t block_samples_ = 0;
};

/// One step of the engine, in seconds.
struct StepTime {
  double spent = 0.0;
  double played = 0.0;    ///< the music that it has taken
  double deadline = 0.0;  ///< what it had until its first stems were asked for, see core/strides.h
};

/// Step `number` of the engine, one of the last `kNumStepTimes`, as it says: never zero where one divides by
/// it.
inline StepTime step_time(const SharedHeader& header, std::uint64_t number, double sample_rate) noexcept {
  const std::size_t slot = number % kNumStepTimes;
  const auto read = [&](const std::atomic<std::uint32_t>* values) {
    return static_cast<double>(values[slot].load(std::memory_order_relaxed));
  };
  return {1e-6 * read(header.step_microseconds), std::max(1.0, read(header.step_samples)) / sample_rate,
          std::max(1.0, read(header.step_deadline_samples)) / sample_rate};
}

/// The engine's end. One thread.
class EngineEnd {
 public:
  explicit EngineEnd(SharedAudio& memory) noexcept : memory_(memory), header_(memory.header()) {}

  enum class Work { none, restart, mixture };

  /// What to do next: `restart` asks for a fresh separator state before anything else;
  /// `mixture` makes `num_samples` samples from `position()` on readable, in one piece:
  /// a multiple of `feed_samples`, at most `max_samples` and at least one feed (unless
  /// the end of the ring cuts it short), all of one focus. In real time there is none before
  /// `together_samples` have come.
  Work next(std::int64_t feed_samples, std::int64_t max_samples, std::int64_t together_samples = 0) noexcept {
    const std::int64_t end = header_.mixture_end.load(std::memory_order_acquire);
    const std::int64_t start = header_.generation_start.load(std::memory_order_acquire);
    if (start != generation_start_) {
      generation_start_ = start;
      return restart_at(end - start > max_backlog() ? end : start);
    }
    const bool slept = std::exchange(asleep_, header_.wanted.load(std::memory_order_acquire) == 0);
    if (asleep_) return Work::none;
    const std::int64_t resume = std::min(header_.resume_position.load(std::memory_order_relaxed), end);
    if (slept && resume > position_) return restart_at(std::max(resume, end - max_backlog()));
    const std::int64_t backlog = end - position_;
    if (backlog > max_backlog()) return restart_at(end);
    // What a cut at the end of the ring has left of a feed comes first.
    const std::int64_t wanted =
        fed_ > 0 ? feed_samples - fed_
                 : std::min(backlog / feed_samples * feed_samples,
                            std::max(feed_samples, max_samples / feed_samples * feed_samples));
    const std::int64_t awaited =
        std::max(fed_ > 0 || offline() ? 0 : together_samples, wanted > 0 ? wanted : feed_samples);
    num_missing_ = awaited - backlog;
    if (num_missing_ > 0) return Work::none;
    num_samples_ = of_one_focus(memory_.mixture().contiguous(position_, wanted), feed_samples);
    step_samples_ = (fed_ + num_samples_) / feed_samples * feed_samples;
    step_backlog_ = fed_ + backlog;
    fed_ = (fed_ + num_samples_) % feed_samples;
    return Work::mixture;
  }

  std::int64_t position() const noexcept { return position_; }
  std::int64_t num_samples() const noexcept { return num_samples_; }
  float* mixture() const noexcept { return memory_.mixture().at(0, position_); }
  /// Distance between the channels of `mixture()`, in samples.
  std::int64_t mixture_stride() const noexcept { return memory_.capacity(); }

  /// Focus of plane `plane` (see `SharedAudio::focus`) at the last sample of `mixture()`, in percent.
  float focus(int plane) const noexcept {
    return *memory_.focus().at(plane, (position_ + num_samples_ - 1) / kFocusGridSamples);
  }

  /// Moves past the samples that `next` handed out.
  void consume() noexcept { position_ += num_samples_; }

  /// Samples that have been consumed and whose stems have not been written.
  std::int64_t num_unanswered() const noexcept { return position_ - stems_end_; }

  /// Appends stems, planar `(stems, channels, num_samples)`, and publishes them. At most
  /// `num_unanswered` samples; false, and nothing is written, otherwise.
  [[nodiscard]] bool write_stems(const float* stems, std::int64_t num_samples) noexcept {
    if (num_samples < 0 || num_samples > std::min(num_unanswered(), memory_.capacity())) return false;
    for (int plane = 0; plane < memory_.stems().num_planes(); ++plane)
      memory_.stems().write(plane, stems_end_, stems + plane * num_samples, num_samples);
    stems_end_ += num_samples;
    header_.stems_end.store(stems_end_, std::memory_order_release);
    if (offline()) memory_.stems_written().signal();
    return true;
  }

  /// Samples that were missing when `next` last had no work, awake.
  std::int64_t num_missing() const noexcept { return num_missing_; }

  /// True if the host wants no stems for now.
  bool asleep() const noexcept { return asleep_; }

  /// Longest block of the host, announced or seen; 0: none is known.
  std::int64_t block_samples() const noexcept {
    return header_.block_samples.load(std::memory_order_relaxed);
  }

  /// What `next` handed out last, in whole feeds, those included that an earlier one began.
  std::int64_t step_samples() const noexcept { return step_samples_; }
  /// How far the mixture had come beyond the start of these, at that moment.
  std::int64_t step_backlog() const noexcept { return step_backlog_; }

  /// Notes how long the step took that ends now, how much music it has taken, and the time it had.
  void note_step(std::int64_t microseconds, std::int64_t num_samples,
                 std::int64_t deadline_samples) noexcept {
    const std::uint64_t number = header_.num_steps.load(std::memory_order_relaxed);
    const std::size_t slot = number % kNumStepTimes;
    const auto note = [&](std::atomic<std::uint32_t>* values, std::int64_t value) {
      values[slot].store(static_cast<std::uint32_t>(value), std::memory_order_relaxed);
    };
    note(header_.step_microseconds, microseconds);
    note(header_.step_samples, num_samples);
    note(header_.step_deadline_samples, deadline_samples);
    header_.num_steps.store(number + 1, std::memory_order_release);
  }

  bool offline() const noexcept { return header_.offline.load(std::memory_order_relaxed) != 0; }
  void wait_for_mixture(std::int64_t nanoseconds) noexcept { memory_.mixture_written().wait(nanoseconds); }

 private:
  // Older samples may be overwritten while they are read. Offline, the host waits
  // before it comes this far.
  std::int64_t max_backlog() const noexcept { return memory_.capacity() / 2; }

  // Up to the first feed whose last sample has another focus than that of the first one.
  std::int64_t of_one_focus(std::int64_t num_samples, std::int64_t feed_samples) const noexcept {
    const auto point = [&](std::int64_t count) { return (position_ + count - 1) / kFocusGridSamples; };
    std::int64_t taken = std::min(feed_samples - fed_, num_samples);
    const std::int64_t first = point(taken);
    while (taken < num_samples) {
      const std::int64_t more = std::min(taken + feed_samples, num_samples);
      for (int plane = 0; plane < memory_.focus().num_planes(); ++plane)
        if (*memory_.focus().at(plane, point(more)) != *memory_.focus().at(plane, first)) return taken;
      taken = more;
    }
    return taken;
  }

  Work restart_at(std::int64_t position) noexcept {
    position_ = stems_end_ = position;
    fed_ = 0;
    // Empty the range before its begin moves; see HostEnd::stems_range.
    header_.stems_end.store(std::numeric_limits<std::int64_t>::min() / 2, std::memory_order_release);
    header_.stems_begin.store(position, std::memory_order_release);
    header_.stems_end.store(position, std::memory_order_release);
    header_.stems_generation.store(generation_start_, std::memory_order_release);
    return Work::restart;
  }

  SharedAudio& memory_;
  SharedHeader& header_;
  std::int64_t generation_start_ = -1;
  std::int64_t position_ = 0;
  std::int64_t num_samples_ = 0;
  std::int64_t stems_end_ = 0;
  std::int64_t fed_ = 0;
  std::int64_t num_missing_ = 0;
  std::int64_t step_samples_ = 0;
  std::int64_t step_backlog_ = 0;
  bool asleep_ = false;
};

}  // namespace stemlane
