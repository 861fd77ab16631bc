// SPDX-License-Identifier: GPL-3.0-or-later
// Buses: on and off in any order, mono and stereo, and layouts that must be refused.
#include "checks.h"

namespace validator {
namespace {

const auto kOff = juce::AudioChannelSet::disabled();
const auto kMono = juce::AudioChannelSet::mono();
const auto kStereo = juce::AudioChannelSet::stereo();

Layout anyLayout(int numOutputs, juce::Random& random) {
  Layout layout;
  const auto main = random.nextBool() ? kStereo : kMono;
  layout.inputBuses.add(main);
  layout.outputBuses.add(main);
  for (int bus = 1; bus < numOutputs; ++bus) layout.outputBuses.add(random.nextBool() ? kStereo : kOff);
  return layout;
}

void layouts(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  const int numOutputs = instance->getBusCount(false);
  expect(numOutputs == 7 && instance->getBusCount(true) == 1, "not one bus in and seven out");
  Player player(*instance, random);
  for (int round = 0; round < 16; ++round) {
    const Layout layout = anyLayout(numOutputs, random);
    instance->releaseResources();
    expect(instance->setBusesLayout(layout), "a possible layout is refused");
    expect(instance->getBusesLayout() == layout, "a layout is accepted but not taken");
    const int block = anyBlock(random);
    prepare(*instance, anyRate(random), block);
    player.start();
    for (int played = 0; played < 12000; played += block) player.play(block);
    player.expectDelayedInput("layout " + juce::String(round));
  }
}

void oneByOne(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  Player player(*instance, random);
  for (int round = 0; round < 20; ++round) {
    instance->releaseResources();
    auto* bus = instance->getBus(false, 1 + random.nextInt(instance->getBusCount(false) - 1));
    expect(bus->enable(!bus->isEnabled()), "a stem's bus cannot be switched");
    prepare(*instance, 44100.0, 512);
    player.start();
    for (int i = 0; i < 12; ++i) player.play(512);
    player.expectDelayedInput("switch " + juce::String(round));
  }
}

void refused(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  const Layout before = instance->getBusesLayout();
  for (int round = 0; round < 20; ++round) {
    Layout layout = anyLayout(instance->getBusCount(false), random);
    auto& wrong = layout.outputBuses.getReference(random.nextInt(layout.outputBuses.size()));
    wrong = juce::AudioChannelSet::create5point1();
    expect(!instance->setBusesLayout(layout), "six channels on a bus are accepted");
    expect(instance->getBusesLayout() == before, "a refused layout has changed something");
  }
  prepare(*instance, 44100.0, 512);
  Player player(*instance, random);
  player.start();
  for (int i = 0; i < 12; ++i) player.play(512);
  player.expectDelayedInput("after refused layouts");
}

}  // namespace

std::vector<Check> busChecks() {
  return {{"any layout plays", layouts},
          {"buses go on and off one by one", oneByOne},
          {"wrong layouts are refused", refused}};
}

}  // namespace validator
