// SPDX-License-Identifier: GPL-3.0-or-later
// Playing: blocks of any length, rates, and the order of a host's calls.
#include <cmath>

#include "checks.h"

namespace validator {
namespace {

void blocks(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  for (const int prepared : {1, 64, 512, 8192}) {
    prepare(*instance, anyRate(random), prepared);
    Player player(*instance, random);
    player.start();
    // Longer blocks are forbidden: JUCE's wrapper copies them into a buffer of the announced length.
    for (int played = 0; played < 15000; ++played) {
      const int numSamples = random.nextInt(prepared + 1);
      player.play(numSamples);
      played += numSamples;
    }
    player.play(0);
    player.play(prepared);
    player.expectDelayedInput("blocks up to " + juce::String(prepared));
  }
}

void calls(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  Player player(*instance, random);
  prepare(*instance, 44100.0, 512);
  player.start();
  int block = 512;
  for (int round = 0; round < 90; ++round) {
    switch (random.nextInt(7)) {
      case 0:
        block = anyBlock(random);
        prepare(*instance, anyRate(random), block);
        player.start();
        break;
      case 1:
        instance->releaseResources();
        prepare(*instance, instance->getSampleRate(), block);
        player.start();
        break;
      case 2:
        instance->releaseResources();
        instance->releaseResources();
        prepare(*instance, anyRate(random), block);
        prepare(*instance, instance->getSampleRate(), block);
        player.start();
        break;
      case 3:
        instance->suspendProcessing(true);
        instance->suspendProcessing(false);
        break;
      case 4:
        expect(instance->getTailLengthSeconds() >= 0.0, "the tail has a negative length");
        break;
      default:
        for (int i = random.nextInt(20); i > 0; --i) player.play(block);
        player.expectDelayedInput("call " + juce::String(round));
    }
  }
}

void offline(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  Player player(*instance, random);
  for (int round = 0; round < 6; ++round) {
    instance->releaseResources();
    instance->setNonRealtime(round % 2 == 1);
    prepare(*instance, 44100.0, 512);
    player.start();
    for (int i = 0; i < 20; ++i) player.play(512);
    player.expectDelayedInput(round % 2 == 1 ? "offline" : "in real time");
  }
}

void silence(Subject& subject, juce::Random&) {
  const auto instance = subject.create();
  prepare(*instance, 44100.0, 512);
  for (auto* parameter : instance->getParameters())
    if (!parameter->isDiscrete()) parameter->setValue(1.0F);
  juce::MidiBuffer midi;
  for (int i = 0; i < 40; ++i) {
    juce::AudioBuffer<float> block(instance->getTotalNumOutputChannels(), 512);
    block.clear();
    instance->processBlock(block, midi);
    expect(block.getMagnitude(0, 512) == 0.0F, "silence has become sound");
  }
}

void oddInput(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  prepare(*instance, 44100.0, 512);
  instance->getParameters()[0]->setValue(0.2F);
  constexpr float kOdd[] = {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                            std::numeric_limits<float>::max(), std::numeric_limits<float>::denorm_min()};
  juce::MidiBuffer midi;
  int numOdd = 0;
  for (int i = 0; i < 60; ++i) {
    juce::AudioBuffer<float> block(2, 512);
    block.clear();
    if (i < 20) block.setSample(random.nextInt(2), random.nextInt(512), kOdd[i % 3]);
    if (i < 20) block.setSample(0, 0, kOdd[3]);
    instance->processBlock(block, midi);
    for (int channel = 0; channel < 2; ++channel)
      for (int n = 0; n < 512; ++n) {
        const float sample = block.getSample(channel, n);
        if (!std::isfinite(sample)) ++numOdd;
        if (i >= 50) expect(sample == 0.0F, "odd input does not go away");
      }
  }
  expect(numOdd <= 20, juce::String(numOdd) + " samples are not numbers, of 20 that went in");
}

void doublePrecision(Subject& subject, juce::Random&) {
  const auto instance = subject.create();
  // The core's samples are floats. A host that asks is told so.
  expect(!instance->supportsDoublePrecisionProcessing(), "double precision is promised");
}

}  // namespace

std::vector<Check> playingChecks() {
  return {{"blocks of any length play", blocks},         {"a host's calls come in any order", calls},
          {"real time and offline take turns", offline}, {"silence stays silence", silence},
          {"odd input stays where it is", oddInput},     {"double precision is refused", doublePrecision}};
}

}  // namespace validator
