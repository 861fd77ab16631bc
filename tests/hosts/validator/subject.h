// SPDX-License-Identifier: GPL-3.0-or-later
// The bundle that is tried, and what every check needs: instances, blocks with guards
// around them, and the one fact that all of them can measure: with all faders at 0 dB
// the main output is the input, `latency` samples later, bit for bit.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace validator {

struct Failure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Throws Failure with `what` unless `holds`.
void expect(bool holds, const juce::String& what);

using Instance = juce::AudioPluginInstance;
using Layout = juce::AudioProcessor::BusesLayout;

class Subject {
 public:
  /// Throws Failure if the bundle does not hold exactly one plugin.
  explicit Subject(const juce::String& bundle);

  const juce::PluginDescription& description() const { return description_; }
  /// A new instance, not yet prepared. Message thread.
  std::unique_ptr<Instance> create();

 private:
  juce::VST3PluginFormat format_;
  juce::PluginDescription description_;
};

/// Lets messages arrive for some time. Message thread.
void pump(int milliseconds);

/// Sets rate and largest block, and prepares.
void prepare(Instance& instance, double sampleRate, int maxBlockSamples);

/// A rate and a block size as hosts have them.
double anyRate(juce::Random& random);
int anyBlock(juce::Random& random);

/// Plays noise; remembers what went in since `start`, and what came out.
class Player {
 public:
  Player(Instance& instance, juce::Random& random) : instance_(instance), random_(random) {}

  /// Forgets the past: to be called where the instance does.
  void start();
  /// One block; throws Failure if an output is not written, not finite or too long.
  void play(int numSamples);
  /// Throws Failure unless the main output since `start` is the input, `latency` later.
  void expectDelayedInput(const juce::String& where) const;

 private:
  Instance& instance_;
  juce::Random& random_;
  std::vector<std::vector<float>> in_, out_;  // by channel of the main bus
};

/// Everything that a state holds but the notes on how things stand.
juce::String settings(Instance& instance);
/// The plugin's own part of a state, as the host has wrapped it; and the way back.
juce::MemoryBlock innerState(Instance& instance);
void setInnerState(Instance& instance, const juce::MemoryBlock& inner);

}  // namespace validator
