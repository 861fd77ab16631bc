// SPDX-License-Identifier: GPL-3.0-or-later
// See EngineJob.h.
#include "processor/EngineJob.h"

namespace stemlane {

void EngineJob::start(const std::vector<std::string>& arguments) {
  command_ = std::make_unique<EngineCommand>(engine_, arguments);
  startTimerHz(10);
}

void EngineJob::cancel() {
  if (command_ != nullptr) command_->cancel();
}

void EngineJob::poll() {
  if (command_ == nullptr) return;
  for (const std::string& line : command_->read()) {
    const juce::var object = juce::JSON::parse(juce::String::fromUTF8(line.c_str()));
    if (object.isObject() && onLine) onLine(object);
  }
  if (command_->is_running()) return;
  stopTimer();
  const auto problem = juce::String::fromUTF8(command_->problem().c_str());
  command_.reset();
  if (onEnd) onEnd(problem);
}

}  // namespace stemlane
