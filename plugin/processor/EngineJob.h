// SPDX-License-Identifier: GPL-3.0-or-later
// A command of the engine's Python, watched from the message thread: each line that it prints is handed on
// as it comes, and its end is told.
#pragma once

#include <juce_events/juce_events.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "host/engine_command.h"

namespace stemlane {

/// One command at a time. Message thread only; nothing of the command outlives this.
class EngineJob final : private juce::Timer {
 public:
  explicit EngineJob(std::string engine) : engine_(std::move(engine)) {}
  ~EngineJob() override { stopTimer(); }

  /// A line, as an object of JSON; lines that are none are left out.
  std::function<void(const juce::var&)> onLine;
  /// It has ended; the text says why it failed, empty if it did not.
  std::function<void(const juce::String&)> onEnd;

  /// Starts a command; what still ran is ended.
  void start(const std::vector<std::string>& arguments);
  void cancel();
  bool isRunning() const { return command_ != nullptr; }
  /// Looks for news; the timer calls it ten times a second.
  void poll();

 private:
  void timerCallback() override { poll(); }

  const std::string engine_;
  std::unique_ptr<EngineCommand> command_;
};

}  // namespace stemlane
