// SPDX-License-Identifier: GPL-3.0-or-later
// A fader of gains: its law, typed values, and those linked with it. How it looks is StemlaneLook's.
#pragma once

#include "editor/FaderGang.h"
#include "editor/ParameterSlider.h"

namespace stemlane {

/// A step is 1 dB, a fine one 0.1 dB, a page 6 dB; Home is +12 dB, End silence, and Return types a value.
/// Message thread only.
class Fader final : public ParameterSlider {
 public:
  Fader(juce::AudioParameterFloat& parameter, FaderGang& gang, const juce::String& title);
  ~Fader() override { letGo(); }

  bool keyPressed(const juce::KeyPress&) override;
  void lookAndFeelChanged() override;
  void colourChanged() override;

  /// From Slider: what a hand, a text typed or a screen reader sets.
  void startedDragging() override { gang_.begin(parameter()); }
  void valueChanged() override { gang_.move(static_cast<float>(getValue())); }
  void stoppedDragging() override { gang_.end(); }

 private:
  double length() const override;

  FaderGang& gang_;
};

}  // namespace stemlane
