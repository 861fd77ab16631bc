// SPDX-License-Identifier: GPL-3.0-or-later
// A level meter of one or two bars with peak hold, on the faders' scale, and the highest level in dB.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <array>

namespace stemlane {

/// Levels jump up and fall by 24 dB a second; a peak stays for a second and a half. What was above
/// 0 dB of full scale is marked until the meter is clicked, which also forgets the highest level.
class StereoMeter final : public juce::Component, public juce::SettableTooltipClient {
 public:
  StereoMeter(const juce::String& title, juce::Colour colour);

  /// Takes the linear peaks since the last call, `seconds` ago; at most two channels.
  void show(const std::array<float, 2>& peaks, int numChannels, float seconds);
  /// Greys the bars: what they measure is not heard.
  void setHeard(bool heard);
  bool hasClipped() const { return highestDb_ > 0.0F; }
  float highestDb() const { return highestDb_; }
  float levelDb(int channel) const { return bars_[static_cast<std::size_t>(channel)].levelDb; }
  float peakDb(int channel) const { return bars_[static_cast<std::size_t>(channel)].peakDb; }
  /// Called when the highest level changes.
  std::function<void()> onHighest;
  void forget();

  void paint(juce::Graphics& g) override;
  void mouseDown(const juce::MouseEvent&) override { forget(); }
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;

 private:
  struct Bar {
    float levelDb;
    float peakDb;
    float heldSeconds;
  };
  void paintBar(juce::Graphics& g, juce::Rectangle<float> area, const Bar& bar) const;

  const juce::Colour colour_;
  std::array<Bar, 2> bars_;
  int numChannels_ = 2;
  float highestDb_;
  bool heard_ = true;
};

}  // namespace stemlane
