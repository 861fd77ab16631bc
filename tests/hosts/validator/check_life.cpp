// SPDX-License-Identifier: GPL-3.0-or-later
// Instances: what a scan sees, many at once, made and dropped in any order.
#include "checks.h"

namespace validator {
namespace {

void description(Subject& subject, juce::Random&) {
  const auto& found = subject.description();
  expect(found.name == "Stemlane" && found.manufacturerName == "Stemlane", "the name is " + found.name);
  expect(!found.isInstrument, "an instrument, not an effect");
  expect(found.numInputChannels == 2 && found.numOutputChannels == 2, "not stereo in and out");
  const auto instance = subject.create();
  const auto made = instance->getPluginDescription();
  // JUCE 8.0.13 names the binary inside the bundle that was scanned.
  expect(made.name == found.name && made.uniqueId == found.uniqueId &&
             made.fileOrIdentifier.startsWith(found.fileOrIdentifier),
         "an instance is not what the scan has found");
  expect(!instance->acceptsMidi() && !instance->producesMidi(), "MIDI is promised");
}

void many(Subject& subject, juce::Random& random) {
  std::vector<std::unique_ptr<Instance>> instances;
  for (int round = 0; round < 40; ++round) {
    if (instances.size() < 12 && random.nextInt(3) != 0) {
      instances.push_back(subject.create());
      if (random.nextInt(4) != 0) prepare(*instances.back(), anyRate(random), anyBlock(random));
    } else if (!instances.empty()) {
      instances.erase(instances.begin() + random.nextInt(static_cast<int>(instances.size())));
    }
  }
  for (const auto& instance : instances) {
    prepare(*instance, 44100.0, 512);
    Player player(*instance, random);
    player.start();
    for (int i = 0; i < 8; ++i) player.play(512);
    player.expectDelayedInput("one of many");
  }
}

void dropped(Subject& subject, juce::Random& random) {
  for (int round = 0; round < 60; ++round) {
    auto instance = subject.create();
    if (random.nextBool()) prepare(*instance, anyRate(random), anyBlock(random));
    Player player(*instance, random);
    player.start();
    if (instance->getSampleRate() > 0 && random.nextBool() && round % 3 == 0) {
      prepare(*instance, 44100.0, 512);
      player.play(512);
    }
    if (random.nextInt(10) == 0) pump(300);  // an engine starts after a quarter of a second
  }
}

}  // namespace

std::vector<Check> lifeChecks() {
  return {{"a scan sees what an instance is", description},
          {"many instances play", many},
          {"instances are dropped at any time", dropped}};
}

}  // namespace validator
