// SPDX-License-Identifier: GPL-3.0-or-later
// One channel strip of the editor: name, fader, level meter, mute and solo.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

namespace stemlane {

/// A bar that jumps to a peak and falls slowly, on the fader's scale.
class LevelMeter final : public juce::Component {
 public:
  explicit LevelMeter(juce::Colour colour);

  /// Takes the linear peak since the last call; call at the editor's frame rate.
  void show(float peak);
  void paint(juce::Graphics& g) override;

 private:
  const juce::Colour colour_;
  float levelDb_;
};

/// Bound to its parameters for as long as it lives. Message thread only.
class StemStrip final : public juce::Component {
 public:
  /// `mute` and `solo` are null for the output strip.
  StemStrip(const juce::String& title, juce::Colour colour, juce::AudioParameterFloat& gain,
            juce::AudioParameterBool* mute, juce::AudioParameterBool* solo);

  /// Greys the strip of a stem that the model does not have.
  void setPresent(bool present);
  void showPeak(float peak) { meter_.show(peak); }

  /// Where mute and solo are; free on the output strip.
  juce::Rectangle<int> buttonArea() const;

  void paint(juce::Graphics& g) override;
  void resized() override;

 private:
  void addSwitch(juce::TextButton& button, std::unique_ptr<juce::ButtonParameterAttachment>& attachment,
                 juce::AudioParameterBool* parameter, juce::Colour on, const juce::String& tip);

  const juce::String title_;
  const juce::Colour colour_;
  bool present_ = true;

  juce::Slider fader_{juce::Slider::LinearVertical, juce::Slider::TextBoxBelow};
  LevelMeter meter_;
  juce::TextButton mute_{"M"};
  juce::TextButton solo_{"S"};
  juce::SliderParameterAttachment faderAttachment_;
  std::unique_ptr<juce::ButtonParameterAttachment> muteAttachment_;
  std::unique_ptr<juce::ButtonParameterAttachment> soloAttachment_;
};

}  // namespace stemlane
