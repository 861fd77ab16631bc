// SPDX-License-Identifier: MIT
// Starts, watches, restarts and stops the engine process of one stream. Everything
// that waits happens on its own supervisor thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "host/engine_board.h"
#include "host/model_index.h"
#include "link/engine_protocol.h"
#include "link/shared_audio.h"
#include "platform/event.h"
#include "platform/process.h"

namespace stemlane {

/// What an engine is started with.
struct EngineLaunch {
  std::string executable;
  ModelDescriptor model;
  double sample_rate = 44100.0;
  int num_channels = 2;
  std::int64_t growth_bytes = std::int64_t{2} << 30;  ///< see StreamConfig::engine_growth_bytes
};

/// The life of one engine. All functions are for the control thread unless said otherwise.
class EngineProcess {
 public:
  /// Begins supervising. The engine itself is started by `start_now`, or by itself after
  /// a quarter of a second: a host that only scans the plugin never starts one.
  /// `board`, which outlives this, shows how it goes.
  EngineProcess(EngineLaunch launch, std::shared_ptr<SharedAudio> memory, EngineBoard& board);

  /// Kills the engine. Never waits for it to do anything.
  ~EngineProcess();
  EngineProcess(const EngineProcess&) = delete;
  EngineProcess& operator=(const EngineProcess&) = delete;

  /// Starts the engine at once if none runs, without waiting. Any thread, but it is a
  /// system call: on the audio thread only while rendering offline.
  void start_now() noexcept;

  /// Stops an engine that no longer answers, as if it had died: the one that ran when there had
  /// been `num_failures` failures, and no later one. Any thread, not real time.
  void give_up(std::int64_t num_failures, const std::string& reason);

  /// `starting`, `ready` or `failed`. Any thread.
  EngineState state() const noexcept { return board_.state(); }
  /// Why the last engine failed that did. Any thread but the audio thread.
  std::string last_failure() const;
  /// True if an engine has said that none can do what is asked for: no other one is started. Any thread.
  bool refused() const noexcept { return refused_.load(std::memory_order_acquire); }
  /// How often an engine has failed so far. Any thread.
  std::int64_t num_failures() const noexcept { return num_failures_.load(std::memory_order_acquire); }

 private:
  void supervise();
  bool launch(std::string& error);
  bool handle_message();
  void fail(const std::string& reason);
  void set_state(EngineState state, std::string text);
  std::string reap();
  bool has_grown(std::string& problem);
  bool given_up(std::string& problem);

  const EngineLaunch launch_;
  const std::shared_ptr<SharedAudio> memory_;
  EngineBoard& board_;

  // Supervisor thread only.
  std::optional<ChildProcess> child_;
  std::string last_words_;        ///< what the engine said when it failed
  std::int64_t first_bytes_ = 0;  ///< memory of the engine when it was first looked at; 0: not yet

  Event wake_;  ///< something below has changed
  std::atomic<bool> stop_{false};
  std::atomic<bool> start_{false};

  std::atomic<std::int64_t> num_failures_{0};
  std::atomic<bool> refused_{false};
  mutable std::mutex mutex_;  // guards the three below
  std::string last_failure_;
  std::int64_t give_up_after_ = -1;  ///< failures before the engine that is given up
  std::string give_up_reason_;

  std::int64_t process_generation_;  ///< see platform/thread.h
  std::unique_ptr<std::thread> thread_;
};

}  // namespace stemlane
