// SPDX-License-Identifier: MIT
// What a host needs to put faders on stems: prepare, process, reset, latency and state.
// It joins the delayed mixture, the shared memory, the engine process and the mixer;
// each does its own job elsewhere.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "core/delayed_mixture.h"
#include "core/gain_ramp.h"
#include "core/latency.h"
#include "core/stem_mixer.h"
#include "host/engine_process.h"
#include "host/model_index.h"
#include "link/engine_link.h"
#include "platform/thread.h"

namespace stemlane {

/// How a stream is set up. Everything but the block size decides about latency and memory.
struct StreamConfig {
  ModelDescriptor model;
  double sample_rate = 44100.0;  ///< Hz
  int num_channels = 2;          ///< 1 or 2
  int max_block_samples = 1024;  ///< longer blocks are split
  /// Executable of the engine. Empty: none is started, and the owner of the stream
  /// serves `shared_audio()` through an EngineEnd of its own.
  std::string engine_executable;
  /// A block's gains act on the samples that leave with it, not on those that come with it.
  bool gains_at_output = false;
  /// Offline, an engine that makes no progress for so long has failed.
  double offline_timeout_seconds = 60.0;
  /// In real time the engine sleeps when nobody has heard stems for so long.
  double sleep_after_seconds = 5.0;
  /// An engine that grows by more than this once it runs is started anew.
  std::int64_t engine_growth_bytes = std::int64_t{2} << 30;

  bool operator==(const StreamConfig&) const = default;
};

/// One block from the host. `out` may be `in`.
struct StreamBlock {
  const float* const* in = nullptr;  ///< (channels, samples)
  float* const* out = nullptr;       ///< (channels, samples): the mix, latency_samples later
  int num_samples = 0;               ///< any number, 0 included
  /// Gains that belong to this block's samples; reached at its end by a linear ramp.
  StemGains gains = kUnityGains;
  /// Post-fader stems by stem number, (channels, samples), or null where not wanted.
  std::array<float* const*, kNumStems> stem_out{};
};

/// What the state says about stems that are no sound.
inline constexpr const char* kDamageText =
    "the engine sends stems that are no sound (not finite, or 120 dB too loud): choose another model";

/// State for the editor.
struct StreamStatus {
  EngineState state = EngineState::starting;
  std::string text;
  std::int64_t num_late = 0;  ///< how often stems have been missing in real time
};

/// A stem-separating insert. `prepare`, `reset` and the destructor belong to the control
/// thread and never run while `process` does; none of them waits for the engine.
class StemStream {
 public:
  StemStream();
  ~StemStream();
  StemStream(const StemStream&) = delete;
  StemStream& operator=(const StemStream&) = delete;

  /// Sizes everything and sets the latency. With an unchanged configuration, or one that
  /// differs by a smaller block only, the engine keeps running and only `reset` takes place. Throws
  /// std::invalid_argument for a rate, channel count or model that cannot work; a lack of shared memory is a
  /// state, not an error.
  void prepare(const StreamConfig& config);

  /// Forgets the past and starts a new timeline. Also allowed on the audio thread.
  void reset() noexcept STEMLANE_REALTIME;

  /// Offline, `process` waits for the engine, and stems that cancel out are neither waited for nor
  /// mixed, so that the output does not depend on when they come; in real time, never. Any thread.
  void set_offline(bool offline) noexcept { offline_.store(offline, std::memory_order_relaxed); }

  /// Audio thread. In real time: no allocation, lock, wait or system call; bounded by the
  /// block's length.
  void process(const StreamBlock& block) noexcept STEMLANE_REALTIME;

  /// `process` in two halves, for an owner that serves the engine's end between them:
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

  /// Peak of a stem after its fader since the last call, linear. Zero while meters are
  /// off or the stems are missing. One message thread.
  float take_peak(int stem) noexcept;
  void set_meters(bool on) noexcept { meters_.store(on, std::memory_order_relaxed); }

  /// The shared memory, or null if the system gave none. Control thread.
  SharedAudio* shared_audio() const noexcept { return memory_.get(); }

 private:
  bool forked() const noexcept { return process_generation_ != fork_generation(); }
  void push(const StreamBlock& block, std::int64_t ramp_samples) noexcept STEMLANE_REALTIME;
  void pull(const StreamBlock& block, bool offline) noexcept STEMLANE_REALTIME;
  bool audible(const StreamBlock& block, int num_samples) const noexcept STEMLANE_REALTIME;
  template <typename Condition>
  void wait_until(Condition done) noexcept;
  void fail_offline(const std::string& reason);
  int mix_piece(const StreamBlock& block, int offset, HostEnd::Range range,
                bool offline) noexcept STEMLANE_REALTIME;
  void find_stems(MixPiece& piece, HostEnd::Range range) noexcept STEMLANE_REALTIME;
  void note_missing(bool missing) noexcept STEMLANE_REALTIME;
  void excuse() noexcept STEMLANE_REALTIME;
  void note_damage() noexcept STEMLANE_REALTIME;
  void note_listeners(const StreamBlock& block, bool offline) noexcept STEMLANE_REALTIME;
  bool has_sound(const StreamBlock& block) const noexcept STEMLANE_REALTIME;
  bool copy_stems(MixPiece& piece) noexcept STEMLANE_REALTIME;
  void measure(const MixPiece& piece) noexcept STEMLANE_REALTIME;

  // Set in prepare.
  StreamConfig config_;
  LatencySum latency_;
  std::shared_ptr<SharedAudio> memory_;
  std::unique_ptr<HostEnd> host_;
  EngineBoard board_;
  std::unique_ptr<EngineProcess> engine_;
  std::int64_t process_generation_;
  std::int64_t warm_up_ = 0;  ///< samples

  // Audio thread.
  DelayedMixture delayed_;
  GainTimeline gains_;
  StemMixer mixer_;
  std::int64_t input_position_ = 0;     ///< next sample to come in
  std::int64_t generation_start_ = -1;  ///< first sample since the last reset
  std::int64_t output_position_ = 0;    ///< position of the next sample to go out
  bool snap_gains_ = true;              ///< first block since reset: no ramp
  float available_ = 1.0F;              ///< availability of the stems at the last sample
  bool missing_ = false;                ///< stems are late
  bool ready_ = false;                  ///< an engine runs, as the audio thread knows
  bool damaged_ = false;                ///< stems of this block were no sound
  bool offline_failed_ = false;         ///< no more waiting until the next reset
  StemGains last_gains_ = kUnityGains;
  bool wanted_ = true;                 ///< someone hears stems, or has a moment ago
  std::int64_t heard_until_ = 0;       ///< input position up to which stems are heard
  std::int64_t sound_until_ = 0;       ///< input position up to which there is sound
  std::int64_t resume_position_ = 0;   ///< see SharedHeader
  std::int64_t excused_until_ = 0;     ///< no stem before it is late: the engine is waking up
  std::int64_t failures_allowed_ = 0;  ///< of the engine, offline, before a render is given up
  std::array<float, kMixSamples> availability_{};
  std::array<std::array<std::array<float, kMixSamples>, kMaxChannels>, kMaxSeparatedStems> stems_{};

  // Shared between threads.
  std::atomic<bool> offline_{false};            // writer: any; reader: audio
  std::atomic<bool> meters_{false};             // writer: message; reader: audio
  std::atomic<std::int64_t> num_late_{0};       // writer: audio; reader: message
  std::atomic<std::int64_t> late_until_{0};     // writer: audio; reader: message
  std::atomic<std::int64_t> damaged_until_{0};  // writer: audio; reader: message
  std::atomic<std::int64_t> position_{0};       // writer: audio; reader: message
  std::atomic<bool> offline_error_set_{false};  // writer: audio; reader: message
  mutable std::mutex offline_mutex_;            // guards the text; never taken in real time
  std::string offline_error_;
  std::array<std::atomic<float>, kNumStems> peaks_{};  // writers: audio, message (swap to 0)
};

}  // namespace stemlane
