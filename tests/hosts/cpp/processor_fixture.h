// SPDX-License-Identifier: GPL-3.0-or-later
// A processor as a host would hold it, and the separator it gets: fake_engine's stem i is
// the mixture times `kShares[i]`.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "processor/PluginProcessor.h"
#include "stream_fixture.h"

inline constexpr float kRest = 1.0F - kShares[0] - kShares[1] - kShares[2];

using Buffer = juce::AudioBuffer<float>;
using Layout = juce::AudioProcessor::BusesLayout;

inline Layout layout(const juce::AudioChannelSet& main, const juce::AudioChannelSet& stems) {
  Layout buses;
  buses.inputBuses.add(main);
  buses.outputBuses.add(main);
  for (int stem = 0; stem < stemlane::kNumStems; ++stem) buses.outputBuses.add(stems);
  return buses;
}

inline const juce::AudioChannelSet kMono = juce::AudioChannelSet::mono();
inline const juce::AudioChannelSet kStereo = juce::AudioChannelSet::stereo();
inline const juce::AudioChannelSet kNone = juce::AudioChannelSet::disabled();

/// A processor with a bus layout, ready to play.
struct Host {
  explicit Host(const char* model = "live", const Layout& buses = layout(kStereo, kNone), bool offline = true,
                double sampleRate = 44100.0, int blockSamples = 512)
      : processor(std::make_unique<stemlane::StemlaneProcessor>()) {
    processor->setModel(model);
    processor->setBusesLayout(buses);
    processor->setNonRealtime(offline);
    processor->setRateAndBufferSizeDetails(sampleRate, blockSamples);
    processor->prepareToPlay(sampleRate, blockSamples);
  }

  /// Plays `in` (main channels, samples); returns all outputs. What is not written is NaN.
  Buffer play(
      const Audio& in, int blockSamples = 512, const std::function<void()>& afterBlock = [] {}) {
    const int numOutputs = processor->getTotalNumOutputChannels();
    const int numInputs = static_cast<int>(in.samples.size());
    Buffer out(numOutputs, in.num_samples());
    for (int channel = 0; channel < numOutputs; ++channel)
      for (int n = 0; n < in.num_samples(); ++n)
        out.setSample(channel, n,
                      channel < numInputs
                          ? in.samples[static_cast<std::size_t>(channel)][static_cast<std::size_t>(n)]
                          : std::numeric_limits<float>::quiet_NaN());
    juce::MidiBuffer midi;
    for (int done = 0; done < in.num_samples(); done += blockSamples) {
      Buffer block(out.getArrayOfWritePointers(), numOutputs, done,
                   std::min(blockSamples, in.num_samples() - done));
      processor->processBlock(block, midi);
      afterBlock();
    }
    return out;
  }

  int latency() const { return processor->getLatencySamples(); }

  std::unique_ptr<stemlane::StemlaneProcessor> processor;
};

/// True if channel `channel` of `out` is `factor` times channel `source` of `in`, `latency` samples later.
inline bool is_delayed(const Buffer& out, int channel, const Audio& in, int source, int latency, float factor,
                       float tolerance, int from = 0) {
  for (int n = from; n < out.getNumSamples(); ++n) {
    const float wanted =
        n < latency
            ? 0.0F
            : factor * in.samples[static_cast<std::size_t>(source)][static_cast<std::size_t>(n - latency)];
    if (!(std::abs(out.getSample(channel, n) - wanted) <= tolerance)) return false;
  }
  return true;
}

// A minute is far more than any state needs; the wait ends as soon as it is there.
inline bool wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 12'000 && !condition(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  return condition();
}

inline bool is_ready(const stemlane::StemlaneProcessor& processor) {
  return processor.status().state == stemlane::EngineState::ready;
}
