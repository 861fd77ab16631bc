// SPDX-License-Identifier: GPL-3.0-or-later
// Parameters: what a host lists, and the way of values to texts and back.
#include <cmath>
#include <set>
#include <vector>

#include "checks.h"

namespace validator {
namespace {

using Parameter = juce::AudioProcessorParameter;

juce::String nameOf(const Parameter& parameter) {
  return parameter.getName(128);
}

// How the engine is: it can be read and not set, and its text changes by itself.
bool isStatus(const Parameter& parameter) {
  return nameOf(parameter) == "Engine Status";
}

// Those that a user sets.
std::vector<Parameter*> settings(Instance& instance) {
  std::vector<Parameter*> found;
  for (auto* parameter : instance.getParameters())
    if (!isStatus(*parameter)) found.push_back(parameter);
  return found;
}

void status(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  for (auto* parameter : instance->getParameters()) {
    if (!isStatus(*parameter)) continue;
    expect(parameter->getText(0.0F, 128).contains(": "),
           "the status is '" + parameter->getText(0.0F, 128) + "'");
    for (int round = 0; round < 50; ++round)
      expect(parameter->getText(random.nextFloat(), 128).length() < 128, "a piece of the status is cut");
  }
}

void list(Subject& subject, juce::Random&) {
  const auto instance = subject.create();
  // Six stems with a fader, a focus and two switches each, the output's fader, bypass, the engine's status.
  expect(instance->getParameters().size() == 27,
         juce::String(instance->getParameters().size()) + " parameters");
  std::set<juce::String> names;
  for (const auto* parameter : instance->getParameters()) {
    const juce::String name = nameOf(*parameter);
    expect(name.isNotEmpty() && names.insert(name).second, "the name '" + name + "' is empty or there twice");
    expect(parameter->isAutomatable() == !isStatus(*parameter), name + " can be automated, or not, wrongly");
    expect(parameter->getDefaultValue() == parameter->getValue(), name + " does not start at its default");
    if (!isStatus(*parameter))
      expect(parameter->isDiscrete() == (parameter->getNumSteps() == 2), name + " has odd steps");
  }
  expect(instance->getBypassParameter() != nullptr, "no bypass for the host");
}

void texts(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  for (auto* parameter : settings(*instance))
    for (int round = 0; round < 50; ++round) {
      const float value = round == 0 ? 0.0F : round == 1 ? 1.0F : random.nextFloat();
      const juce::String text = parameter->getText(value, 128);
      const float again = parameter->getValueForText(text);
      expect(again >= 0.0F && again <= 1.0F, nameOf(*parameter) + ": " + text + " is out of range");
      expect(parameter->getText(again, 128) == text,
             nameOf(*parameter) + ": " + text + " comes back as " + parameter->getText(again, 128));
      // Faders have 720 steps, a focus has 100, switches two.
      const float steps = nameOf(*parameter).endsWith("Focus") ? 100.0F : 720.0F;
      const float tolerance = parameter->isDiscrete() ? 0.5F : 0.5F / steps + 1e-6F;
      expect(std::abs(again - value) <= tolerance, nameOf(*parameter) + ": " + text + " is not what was set");
    }
}

void oddTexts(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  for (auto* parameter : instance->getParameters())
    for (const juce::String& text : {juce::String(), juce::String("nan"), juce::String("-inf"),
                                     juce::String("1e999"), juce::String::repeatedString("9", 4000),
                                     juce::String::charToString(static_cast<juce::juce_wchar>(0x1F3A4)),
                                     juce::String(random.nextInt64())}) {
      const float value = parameter->getValueForText(text);
      expect(value >= 0.0F && value <= 1.0F,
             nameOf(*parameter) + ": '" + text.substring(0, 20) + "' is out of range");
    }
}

void values(Subject& subject, juce::Random& random) {
  const auto instance = subject.create();
  prepare(*instance, 44100.0, 512);
  Player player(*instance, random);
  player.start();
  const auto parameters = settings(*instance);
  for (int round = 0; round < 200; ++round) {
    auto* parameter =
        parameters[static_cast<std::size_t>(random.nextInt(static_cast<int>(parameters.size())))];
    const float value = parameter->isDiscrete() ? static_cast<float>(random.nextInt(2)) : random.nextFloat();
    parameter->setValue(value);
    expect(parameter->getValue() == value, nameOf(*parameter) + " is not what was set");
    player.play(random.nextInt(512));
  }
}

}  // namespace

std::vector<Check> parameterChecks() {
  return {{"parameters are listed as a host needs them", list},
          {"the engine's status can be read", status},
          {"values go to texts and back", texts},
          {"odd texts give possible values", oddTexts},
          {"values are kept while playing", values}};
}

}  // namespace validator
