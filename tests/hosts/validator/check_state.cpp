// SPDX-License-Identifier: GPL-3.0-or-later
// State: the round trip, cut off at every byte, damaged, and saved while playing.
#include "checks.h"

namespace validator {
namespace {

void setAnything(Instance& instance, juce::Random& random) {
  for (auto* parameter : instance.getParameters())
    parameter->setValue(parameter->isDiscrete() ? static_cast<float>(random.nextInt(2)) : random.nextFloat());
}

/// Parameters reach the plugin with the next block.
void deliver(Instance& instance, juce::Random& random) {
  Player player(instance, random);
  player.start();
  player.play(512);
}

void roundTrip(Subject& subject, juce::Random& random) {
  for (int round = 0; round < 10; ++round) {
    const auto one = subject.create();
    const auto other = subject.create();
    prepare(*one, 44100.0, 512);
    if (random.nextBool()) prepare(*other, anyRate(random), anyBlock(random));
    setAnything(*one, random);
    deliver(*one, random);
    juce::MemoryBlock saved;
    one->getStateInformation(saved);
    other->setStateInformation(saved.getData(), static_cast<int>(saved.getSize()));
    expect(settings(*other) == settings(*one), "a state differs in another instance");
    // The last one is the engine's status, which is no setting.
    for (int index = 0; index + 1 < one->getParameters().size(); ++index) {
      auto* parameter = other->getParameters()[index];
      const juce::String text = parameter->getCurrentValueAsText();
      expect(text == one->getParameters()[index]->getCurrentValueAsText(),
             parameter->getName(64) + " is " + text + " in another instance");
    }
  }
}

void cutOff(Subject& subject, juce::Random& random) {
  const auto donor = subject.create();
  prepare(*donor, 44100.0, 512);
  setAnything(*donor, random);
  deliver(*donor, random);
  const juce::MemoryBlock whole = innerState(*donor);
  const auto xmlBytes = 8 + juce::ByteOrder::littleEndianInt(static_cast<const char*>(whole.getData()) + 4);

  const auto instance = subject.create();
  const juce::String before = settings(*instance);
  for (juce::uint32 length = 0; length < xmlBytes; ++length) {
    setInnerState(*instance, juce::MemoryBlock(whole.getData(), length));
    expect(settings(*instance) == before, juce::String(length) + " bytes of a state have changed something");
  }
  setInnerState(*instance, whole);
  expect(settings(*instance) == settings(*donor), "the whole state is not taken");
}

void damaged(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  prepare(*instance, 44100.0, 512);
  const juce::MemoryBlock whole = innerState(*instance);
  for (int round = 0; round < 300; ++round) {
    juce::MemoryBlock bytes(whole);
    for (int i = 1 + random.nextInt(8); i > 0; --i)
      bytes[random.nextInt(static_cast<int>(bytes.getSize()))] = static_cast<char>(random.nextInt(256));
    setInnerState(*instance, bytes);
    if (round % 50 == 0) deliver(*instance, random);
  }
  setInnerState(*instance, whole);
  juce::Random fixed(1);
  prepare(*instance, 44100.0, 512);
  Player player(*instance, fixed);
  player.start();
  for (int i = 0; i < 12; ++i) player.play(512);
  player.expectDelayedInput("after damaged states");
}

}  // namespace

std::vector<Check> stateChecks() {
  return {{"a state comes back in another instance", roundTrip},
          {"a state cut off at any byte changes nothing", cutOff},
          {"damaged states do no harm", damaged}};
}

}  // namespace validator
