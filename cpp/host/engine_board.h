// SPDX-License-Identifier: MIT
// What an engine says about itself. It outlives the engine, so that whoever shows it never
// meets one that is being started, stopped or replaced.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <utility>

#include "link/engine_protocol.h"
#include "platform/thread.h"

namespace stemlane {

/// Written by the engine's supervisor and by whoever sets it up, read by any thread.
class EngineBoard {
 public:
  void publish(EngineState state, std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
    process_generation_.store(fork_generation(), std::memory_order_relaxed);
    state_.store(state, std::memory_order_release);
  }

  /// True in a fork of the process that has published last: the engine is the parent's. Any
  /// thread, wait-free.
  bool forked() const noexcept {
    return process_generation_.load(std::memory_order_relaxed) != fork_generation();
  }

  /// `starting`, `ready` or `failed`. Any thread, wait-free.
  EngineState state() const noexcept {
    return forked() ? EngineState::failed : state_.load(std::memory_order_acquire);
  }
  /// Why the engine failed, or what it runs. Any thread but the audio thread.
  std::string text() const {
    if (forked())
      return "this process is a fork of the one with the engine; start workers with "
             "multiprocessing.get_context('spawn'), and load the plugin there";
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::atomic<EngineState> state_{EngineState::starting};
  mutable std::mutex mutex_;  // held while a text is copied, no longer
  std::string text_;
  std::atomic<std::int64_t> process_generation_{fork_generation()};
};

}  // namespace stemlane
