// SPDX-License-Identifier: MIT
// What a host needs to put faders on stems: prepare, process, reset, latency and state.
// It joins the core, the source of the stems and the policies; each does its own job elsewhere.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>

#include "core/latency.h"
#include "host/engine_board.h"
#include "stream/lateness.h"
#include "stream/meters.h"
#include "stream/offline_wait.h"
#include "stream/sleep.h"
#include "stream/stem_source.h"
#include "stream/stream_core.h"
#include "stream/stream_types.h"

namespace stemlane {

/// What the state says about stems that are no sound.
inline constexpr const char* kInvalidStemsText =
    "the engine sends stems that are no sound (not finite, or 120 dB too loud): choose another model";

/// A stem-separating insert. `prepare`, `reset` and the destructor belong to the control
/// thread and never run while `process` does; none of them waits for the engine.
class StemStream {
 public:
  StemStream();
  ~StemStream();
  StemStream(const StemStream&) = delete;
  StemStream& operator=(const StemStream&) = delete;

  /// Sizes everything and sets the latency. With an unchanged configuration, or one that
  /// differs by a smaller block only, the source stays and only `reset` takes place. Throws
  /// std::invalid_argument for a rate, channel count or model that cannot work; a source that the
  /// system refuses is a state, not an error.
  void prepare(const StreamConfig& config);

  /// Forgets the past and starts a new timeline. Also allowed on the audio thread.
  void reset() noexcept STEMLANE_REALTIME;

  /// Offline, `process` waits for the engine, and stems that cancel out are neither waited for nor
  /// mixed, so that the output does not depend on when they come; in real time, never. Any thread.
  bool is_offline() const noexcept { return offline_.load(std::memory_order_relaxed); }
  void set_offline(bool offline) noexcept { offline_.store(offline, std::memory_order_relaxed); }

  /// Audio thread. In real time: no allocation, lock, wait or system call; bounded by the
  /// block's length.
  void process(const StreamBlock& block) noexcept STEMLANE_REALTIME;

  /// `process` in two halves, for an owner that provides the stems between them:
  /// `push` takes the input and gains, `pull` delivers the output. At most
  /// `max_block_samples`; equal counts.
  void push(const StreamBlock& block) noexcept STEMLANE_REALTIME;
  void pull(const StreamBlock& block) noexcept STEMLANE_REALTIME;

  /// True if `pull` finds all stems that this block's gains make audible. Audio thread.
  bool stems_ready(const StreamBlock& block) noexcept STEMLANE_REALTIME;

  /// Delay from input to output in samples at the host's rate. Any thread.
  int latency_samples() const noexcept { return latency_.total(); }
  /// The terms of that delay. Control thread.
  const LatencySum& latency() const noexcept { return latency_; }

  /// Any thread but the audio thread, while `prepare` runs too.
  StreamStatus status() const;
  const StreamConfig& config() const noexcept { return config_; }

  /// Peak of one channel of a stem after its fader since the last call, linear. Zero while meters
  /// are off, the stems are missing, or a render does without them. One message thread.
  float take_peak(int stem, int channel) noexcept { return meters_.take(stem, channel); }
  /// The stems' samples after their faders, while meters are on. One message thread.
  StemTap& tap() noexcept { return meters_.tap(); }
  /// With `true` allocates, with `false` frees; see `Meters`. One message thread.
  void set_meters(bool on) { meters_.set_on(on); }

  /// What the configuration's origin has made, or what takes its place. Control thread.
  StemSource& source() const noexcept { return *source_; }

 private:
  void process_part(const StreamBlock& part, std::int64_t ramp_samples, OfflineEngine* engine) noexcept;
  void push(const StreamBlock& block, std::int64_t ramp_samples) noexcept STEMLANE_REALTIME;
  void pull(const StreamBlock& block, bool offline) noexcept STEMLANE_REALTIME;
  void note_listeners(const StreamBlock& block, bool offline) noexcept STEMLANE_REALTIME;
  bool is_heard(const StreamBlock& block) const noexcept STEMLANE_REALTIME;
  bool has_sound(const StreamBlock& block) const noexcept STEMLANE_REALTIME;
  void note_piece(PieceStems stems) noexcept STEMLANE_REALTIME;

  // Set in prepare.
  StreamConfig config_;
  LatencySum latency_;
  EngineBoard board_;
  std::unique_ptr<StemSource> source_;
  bool is_prepared_ = false;  ///< and the source is the origin's

  // Audio thread.
  StreamCore core_;
  Sleep sleep_;
  Lateness lateness_;
  OfflineWait offline_wait_;
  StemGains last_gains_ = kUnityGains;
  bool invalid_stems_ = false;  ///< in this block

  // Shared between threads.
  Meters meters_;
  ShownTrouble invalid_shown_;
  std::atomic<bool> offline_{false};       // writer: any; reader: audio
  std::atomic<std::int64_t> position_{0};  // writer: audio; reader: message
};

}  // namespace stemlane
