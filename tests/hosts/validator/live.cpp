// SPDX-License-Identifier: GPL-3.0-or-later
// See live.h.
#include "live.h"

#include <algorithm>
#include <chrono>
#include <iostream>
#include <thread>

namespace validator {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kNumChannels = 2;
// An engine starts within a second; a large model on a busy machine may take twenty.
constexpr int kStartMilliseconds = 60'000;
constexpr auto kLookEvery = std::chrono::milliseconds(100);

std::unique_ptr<juce::XmlElement> stateOf(Instance& instance) {
  const juce::MemoryBlock inner = innerState(instance);
  auto xml = juce::AudioProcessor::getXmlFromBinary(inner.getData(), static_cast<int>(inner.getSize()));
  expect(xml != nullptr, "the plugin's state is not XML");
  return xml;
}

void setUp(Instance& instance, const LiveTake& take) {
  const auto xml = stateOf(instance);
  xml->setAttribute("model", take.model);
  xml->setAttribute(take.stem + "_mute", "On");
  juce::MemoryBlock changed;
  juce::AudioProcessor::copyXmlToBinary(*xml, changed);
  setInnerState(instance, changed);
}

juce::String statusOf(Instance& instance) {
  return instance.getParameters().getLast()->getText(0.0F, 128);
}

void waitForEngine(Instance& instance) {
  for (int waited = 0; !statusOf(instance).startsWith("ready"); waited += 20) {
    expect(waited < kStartMilliseconds, "the engine does not start: " + statusOf(instance));
    pump(20);
  }
}

juce::AudioBuffer<float> read(const juce::File& file) {
  juce::MemoryBlock bytes;
  expect(file.loadFileAsData(bytes), file.getFullPathName() + ": cannot be read");
  const int numSamples = static_cast<int>(bytes.getSize() / (kNumChannels * sizeof(float)));
  juce::AudioBuffer<float> audio(kNumChannels, numSamples);
  const auto* samples = static_cast<const float*>(bytes.getData());
  for (int channel = 0; channel < kNumChannels; ++channel)
    audio.copyFrom(channel, 0, samples + static_cast<std::ptrdiff_t>(channel) * numSamples, numSamples);
  return audio;
}

void write(const juce::AudioBuffer<float>& audio, const juce::File& file) {
  file.deleteFile();  // a stream would go on at its end
  juce::FileOutputStream stream(file);
  expect(stream.openedOk(), file.getFullPathName() + ": cannot be written");
  for (int channel = 0; channel < kNumChannels; ++channel)
    stream.write(audio.getReadPointer(channel),
                 sizeof(float) * static_cast<std::size_t>(audio.getNumSamples()));
}

}  // namespace

void playLive(Subject& subject, const LiveTake& take) {
  auto audio = read(take.input);
  const auto instance = subject.create();
  setUp(*instance, take);
  prepare(*instance, take.sampleRate, take.blockSamples);
  waitForEngine(*instance);
  std::cout << "ready " << instance->getLatencySamples() << std::endl;

  const auto begin = Clock::now();
  auto looked = begin;
  double slowest = 0.0;
  juce::StringArray states;
  juce::MidiBuffer midi;
  for (int done = 0; done < audio.getNumSamples(); done += take.blockSamples) {
    const int numSamples = std::min(take.blockSamples, audio.getNumSamples() - done);
    std::this_thread::sleep_until(
        begin + std::chrono::duration<double>((done + numSamples) / take.sampleRate * take.slower));
    juce::AudioBuffer<float> block(audio.getArrayOfWritePointers(), kNumChannels, done, numSamples);
    const auto before = Clock::now();
    instance->processBlock(block, midi);
    slowest = std::max(slowest, std::chrono::duration<double, std::micro>(Clock::now() - before).count());
    if (before - looked < kLookEvery) continue;
    looked = before;
    const auto state = statusOf(*instance).upToFirstOccurrenceOf(":", false, false);
    if (states.isEmpty() || states[states.size() - 1] != state) states.add(state);
  }
  std::cout << "states " << states.joinIntoString(" ") << "\nslowest " << static_cast<int>(slowest)
            << std::endl;
  write(audio, take.output);
}

}  // namespace validator
