// SPDX-License-Identifier: GPL-3.0-or-later
// Entry point of the plugin's tests: JUCE's message machinery lives as long as they run.
#define CATCH_CONFIG_RUNNER
#include <catch2/catch.hpp>

#include <juce_events/juce_events.h>

#include "home.h"

int main(int argc, char** argv) {
  // As an application of its own JUCE handles the X server's complaints; in a plugin the host does, and
  // by default they end the process.
  juce::JUCEApplicationBase::createInstance = []() -> juce::JUCEApplicationBase* { return nullptr; };
  const juce::ScopedJuceInitialiser_GUI gui;
  // What the plugin remembers of its runs is not to mix with what it remembers of the user's.
  const Home home;
  return Catch::Session().run(argc, argv);
}
