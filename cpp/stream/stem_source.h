// SPDX-License-Identifier: MIT
// Where a stream's stems come from: one interface, so that the stream knows of no process and
// no memory. Implementations: engine_source.h, in_process_source.h, no_stems.h.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "core/latency.h"
#include "core/model_descriptor.h"
#include "core/realtime.h"

namespace stemlane {

class EngineBoard;

/// Positions whose stems can be read.
struct StemRange {
  std::int64_t begin = 0;
  std::int64_t end = std::numeric_limits<std::int64_t>::min() / 2;
};

/// What offline rendering waits for. Audio thread, offline only: all of it may enter the system.
class OfflineEngine {
 public:
  virtual ~OfflineEngine() = default;
  virtual bool is_ready() const noexcept = 0;
  virtual void start_now() noexcept = 0;
  virtual void wake() noexcept = 0;
  virtual void wait(std::int64_t nanoseconds) noexcept = 0;
  virtual std::int64_t num_failures() const noexcept = 0;
  virtual bool refused() const noexcept = 0;
  virtual std::string last_failure() const = 0;
  virtual void give_up(std::int64_t num_failures, const std::string& reason) = 0;
  /// How far the mixture may run ahead of the stems before some of it is lost, in samples.
  virtual std::int64_t backlog_samples() const noexcept = 0;
};

/// Made and destroyed by the control thread while no block is processed; everything else is for
/// the audio thread, and real time.
class StemSource {
 public:
  StemSource() = default;
  StemSource(const StemSource&) = delete;
  StemSource& operator=(const StemSource&) = delete;
  virtual ~StemSource() = default;

  /// The longest block that the host has announced; 0: unknown. Control thread, while no block is processed.
  virtual void expect_blocks(int /*num_samples*/) noexcept {}
  /// Starts a new generation at `position`, where no other one has started: a fresh separator.
  virtual void begin_generation(std::int64_t position) noexcept STEMLANE_REALTIME = 0;
  /// Takes (channels, samples) of the mixture from `position` on.
  virtual void write_mixture(std::int64_t position, const float* const* mixture,
                             int num_samples) noexcept STEMLANE_REALTIME = 0;
  /// Before `write_mixture` of the same samples: how sharply stems are to be told apart there.
  virtual void write_focus(std::int64_t /*position*/, int /*num_samples*/,
                           const StemFocus& /*focus*/) noexcept STEMLANE_REALTIME {}
  /// What can be read of this generation. It may grow at any time.
  virtual StemRange range() const noexcept STEMLANE_REALTIME = 0;
  /// Copies samples of a separated stem, in the model's order; `range` has held them.
  virtual void read(int stem, int channel, std::int64_t position, float* target,
                    int num_samples) const noexcept STEMLANE_REALTIME = 0;

  /// True if stems are on their way, so that missing ones are late.
  virtual bool is_ready() const noexcept STEMLANE_REALTIME { return false; }
  virtual void set_offline(bool) noexcept STEMLANE_REALTIME {}
  /// Tells whether anyone can hear stems, and where to go on if it is too late for all.
  virtual void set_wanted(bool, std::int64_t /*resume_position*/) noexcept STEMLANE_REALTIME {}
  /// Null if nothing is to be waited for.
  virtual OfflineEngine* offline_engine() noexcept { return nullptr; }
};

/// What a source must know of its stream.
struct SourceSetup {
  ModelDescriptor model;
  double sample_rate = 0.0;  ///< Hz
  int num_channels = 0;
  int max_block_samples = 0;
  LatencySum latency;
  std::int64_t warm_up_samples = 0;  ///< see sleep.h
};

/// Makes the sources of one kind; a stream whose origin stays keeps its source where it can.
class StemOrigin {
 public:
  virtual ~StemOrigin() = default;
  /// Control thread. A source that the system refuses is null, and `board` says why.
  virtual std::unique_ptr<StemSource> open(const SourceSetup& setup, EngineBoard& board) const = 0;
};

}  // namespace stemlane
