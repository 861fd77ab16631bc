// SPDX-License-Identifier: GPL-3.0-or-later
// See subject.h.
#include "subject.h"

#include <cmath>
#include <limits>

namespace validator {
namespace {

constexpr int kGuardSamples = 64;
constexpr float kGuard = 1234.5F;
// JUCE's host keeps a VST3 plugin's state as <VST3PluginState><IComponent>base64.
constexpr const char* kComponent = "IComponent";

std::unique_ptr<juce::XmlElement> wrappedState(Instance& instance) {
  juce::MemoryBlock block;
  instance.getStateInformation(block);
  auto xml = juce::AudioProcessor::getXmlFromBinary(block.getData(), static_cast<int>(block.getSize()));
  expect(xml != nullptr && xml->getChildByName(kComponent) != nullptr,
         "a state holds nothing of the plugin's");
  return xml;
}

}  // namespace

void expect(bool holds, const juce::String& what) {
  if (!holds) throw Failure(what.toStdString());
}

Subject::Subject(const juce::String& bundle) {
  juce::OwnedArray<juce::PluginDescription> found;
  format_.findAllTypesForFile(found, bundle);
  expect(found.size() == 1, bundle + ": holds " + juce::String(found.size()) + " plugins, should be 1");
  description_ = *found[0];
}

std::unique_ptr<Instance> Subject::create() {
  juce::String error;
  auto instance = format_.createInstanceFromDescription(description_, 44100.0, 512, error);
  expect(instance != nullptr, "no instance: " + error);
  return instance;
}

void pump(int milliseconds) {
  juce::MessageManager::getInstance()->runDispatchLoopUntil(milliseconds);
}

void prepare(Instance& instance, double sampleRate, int maxBlockSamples) {
  instance.releaseResources();  // JUCE's host takes no new rate while it plays
  instance.setRateAndBufferSizeDetails(sampleRate, maxBlockSamples);
  instance.prepareToPlay(sampleRate, maxBlockSamples);
}

double anyRate(juce::Random& random) {
  constexpr double kRates[] = {22050.0, 44100.0, 48000.0, 88200.0, 96000.0, 192000.0};
  return kRates[random.nextInt(6)];
}

int anyBlock(juce::Random& random) {
  constexpr int kBlocks[] = {1, 16, 64, 441, 512, 1024, 4096, 8192};
  return kBlocks[random.nextInt(8)];
}

void Player::start() {
  const auto numChannels = static_cast<std::size_t>(instance_.getMainBusNumInputChannels());
  in_.assign(numChannels, {});
  out_.assign(numChannels, {});
}

void Player::play(int numSamples) {
  const int numChannels =
      std::max(instance_.getTotalNumInputChannels(), instance_.getTotalNumOutputChannels());
  juce::AudioBuffer<float> storage(numChannels, numSamples + kGuardSamples);
  for (int channel = 0; channel < numChannels; ++channel) {
    const bool isInput = channel < static_cast<int>(in_.size());
    for (int n = 0; n < storage.getNumSamples(); ++n)
      storage.setSample(channel, n,
                        n >= numSamples ? kGuard
                        : isInput       ? random_.nextFloat() - 0.5F
                                        : std::numeric_limits<float>::quiet_NaN());
    if (isInput) {
      auto& in = in_[static_cast<std::size_t>(channel)];
      in.insert(in.end(), storage.getReadPointer(channel), storage.getReadPointer(channel) + numSamples);
    }
  }
  juce::AudioBuffer<float> block(storage.getArrayOfWritePointers(), numChannels, numSamples);
  juce::MidiBuffer midi;
  instance_.processBlock(block, midi);

  for (int channel = 0; channel < numChannels; ++channel) {
    for (int n = 0; n < numSamples; ++n)
      expect(std::isfinite(block.getSample(channel, n)),
             "output " + juce::String(channel) + " is not a number");
    for (int n = 0; n < kGuardSamples; ++n)
      expect(storage.getSample(channel, numSamples + n) == kGuard, "written behind the block");
    if (channel < static_cast<int>(out_.size())) {
      auto& out = out_[static_cast<std::size_t>(channel)];
      out.insert(out.end(), block.getReadPointer(channel), block.getReadPointer(channel) + numSamples);
    }
  }
}

void Player::expectDelayedInput(const juce::String& where) const {
  const auto latency = static_cast<std::size_t>(instance_.getLatencySamples());
  for (std::size_t channel = 0; channel < out_.size(); ++channel)
    for (std::size_t n = 0; n < out_[channel].size(); ++n) {
      const float wanted = n < latency ? 0.0F : in_[channel][n - latency];
      expect(out_[channel][n] == wanted, where + ": sample " + juce::String(static_cast<int>(n)) +
                                             " is not the input " + juce::String(static_cast<int>(latency)) +
                                             " samples before");
    }
}

juce::String settings(Instance& instance) {
  const juce::MemoryBlock inner = innerState(instance);
  const auto xml = juce::AudioProcessor::getXmlFromBinary(inner.getData(), static_cast<int>(inner.getSize()));
  expect(xml != nullptr, "the plugin's state is not XML");
  return xml->toString();
}

juce::MemoryBlock innerState(Instance& instance) {
  juce::MemoryBlock inner;
  expect(inner.fromBase64Encoding(wrappedState(instance)->getChildByName(kComponent)->getAllSubText()),
         "the plugin's state is not in base 64");
  return inner;
}

void setInnerState(Instance& instance, const juce::MemoryBlock& inner) {
  const auto xml = wrappedState(instance);
  auto* component = xml->getChildByName(kComponent);
  component->deleteAllChildElements();
  component->addTextElement(inner.toBase64Encoding());
  juce::MemoryBlock block;
  juce::AudioProcessor::copyXmlToBinary(*xml, block);
  instance.setStateInformation(block.getData(), static_cast<int>(block.getSize()));
}

}  // namespace validator
