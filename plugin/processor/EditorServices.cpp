// SPDX-License-Identifier: GPL-3.0-or-later
// What the processor does for the editor alone: remedies, figures, models and files, captures. Message
// thread.
#include <algorithm>

#include "processor/EngineLink.h"
#include "processor/PluginFiles.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

StemlaneProcessor::Remedy StemlaneProcessor::remedy() const {
  if (!facts_.read()->otherModel.empty()) return Remedy::otherModel;
  const StreamStatus now = status();
  if (!facts_.read()->prepared || now.state != EngineState::failed) return Remedy::none;
  return lacksPython(now.text) ? Remedy::python : Remedy::restart;
}

void StemlaneProcessor::remedyNow() {
  const Remedy now = remedy();
  if (now == Remedy::otherModel) setModel(facts_.read()->otherModel);
  if (now == Remedy::restart) restartEngine();
}

juce::String StemlaneProcessor::usePython(const juce::File& python) {
  const juce::String problem = linkPython(python);
  if (problem.isEmpty()) restartEngine();
  return problem;
}

EngineFigures StemlaneProcessor::figures() {
  const std::unique_lock lock(mutex_, std::try_to_lock);
  if (lock.owns_lock()) figures_ = engineFigures(stream_);
  return figures_;
}

ModelShop& StemlaneProcessor::shop() {
  if (shop_ == nullptr)
    shop_ = std::make_unique<ModelShop>(engineExecutable().getFullPathName().toStdString());
  return *shop_;
}

FileQueue& StemlaneProcessor::files() {
  if (files_ == nullptr)
    files_ = std::make_unique<FileQueue>(engineExecutable().getFullPathName().toStdString());
  return *files_;
}

void StemlaneProcessor::startCapture(int numBars) {
  capture_.start({*trackName_.read(), numBars, std::max(1, numChannels()), getSampleRate()});
}

void StemlaneProcessor::modelsHaveChanged() {
  if (!facts_.read()->otherModel.empty() && find_model(installedModels(), modelName()) != nullptr)
    changeModel([] {});
}

void StemlaneProcessor::setMeters(bool on) {
  meters_.store(on, std::memory_order_relaxed);
  stream_.set_meters(on);
}

}  // namespace stemlane
