// SPDX-License-Identifier: GPL-3.0-or-later
// Starts and stops a capture, and says how it stands.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <vector>

#include "processor/PluginProcessor.h"

namespace stemlane {

/// A click asks for the length, stops what runs, or shows what has come of it. Message thread only.
class CaptureButton final : public juce::TextButton {
 public:
  explicit CaptureButton(StemlaneProcessor& processor);

  /// Shows how things stand; the editor calls it with each frame.
  void refresh();
  /// Somebody asks for the stems of a recording, or why there are none.
  std::function<void()> onResult;

  /// What can be chosen at a host's tempo (0: it tells none), in order: text and number of bars, 0 for "until
  /// stopped".
  struct Choice {
    juce::String text;
    int numBars = 0;
    bool isPossible = true;
  };
  static std::vector<Choice> choices(double tempo);

 private:
  void press();

  StemlaneProcessor& processor_;
  Capture::State shown_ = Capture::State::idle;
  juce::String told_;     ///< of the last one's problem
  bool isAsked_ = false;  ///< to end by a click
  bool hasNews_ = false;  ///< one has ended by itself, and nobody has looked yet
};

}  // namespace stemlane
