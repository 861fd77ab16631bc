// SPDX-License-Identifier: GPL-3.0-or-later
// A stem's focus: a narrow bar that is filled from its middle, which changes nothing.
#pragma once

#include <algorithm>

#include "editor/ParameterSlider.h"

namespace stemlane {

/// A step is 2 %, a fine one 1 %, a page 10 %; Home is 100, End 0. Message thread only.
class FocusBar final : public ParameterSlider {
 public:
  FocusBar(juce::AudioParameterFloat& parameter, juce::Colour colour, const juce::String& title);
  ~FocusBar() override { letGo(); }

  void paint(juce::Graphics& g) override;

  /// From Slider: what a hand or a screen reader sets.
  void startedDragging() override { attachment().beginGesture(); }
  void valueChanged() override { attachment().setValueAsPartOfGesture(static_cast<float>(getValue())); }
  void stoppedDragging() override { attachment().endGesture(); }

 private:
  double length() const override { return std::max(1, getWidth()); }

  const juce::Colour colour_;
};

}  // namespace stemlane
