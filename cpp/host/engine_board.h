// SPDX-License-Identifier: MIT
// What an engine says about itself. It outlives the engine, so that whoever shows it never
// meets one that is being started, stopped or replaced.
#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <utility>

#include "link/engine_protocol.h"

namespace stemlane {

/// Written by the engine's supervisor and by whoever sets it up, read by any thread.
class EngineBoard {
 public:
  void publish(EngineState state, std::string text) {
    const std::lock_guard lock(mutex_);
    text_ = std::move(text);
    state_.store(state, std::memory_order_release);
  }

  /// `starting`, `ready` or `failed`. Any thread, wait-free.
  EngineState state() const noexcept { return state_.load(std::memory_order_acquire); }
  /// Why the engine failed, or what it runs. Any thread but the audio thread.
  std::string text() const {
    const std::lock_guard lock(mutex_);
    return text_;
  }

 private:
  std::atomic<EngineState> state_{EngineState::starting};
  mutable std::mutex mutex_;  // held while a text is copied, no longer
  std::string text_;
};

}  // namespace stemlane
