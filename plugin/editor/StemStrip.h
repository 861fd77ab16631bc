// SPDX-License-Identifier: GPL-3.0-or-later
// One channel strip of the editor: name, fader, level meter, mute and solo.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

#include "editor/Fader.h"
#include "editor/FocusBar.h"
#include "editor/ParameterButton.h"
#include "editor/StereoMeter.h"

namespace stemlane {

/// What a strip does to the sound.
enum class Heard { yes, silent, muted, notSoloed, passedBy };

/// What a strip is bound to. The output has no mute, solo and focus; it has bypass in their place.
struct StripParameters {
  juce::AudioParameterFloat& gain;
  juce::AudioParameterBool* mute;
  juce::AudioParameterBool* solo;
  juce::AudioParameterBool* bypass;
  juce::AudioParameterFloat* focus;
};

/// Bound to its parameters for as long as it lives. Message thread only.
class StemStrip final : public juce::Component {
 public:
  StemStrip(const juce::String& title, juce::Colour colour, const StripParameters& parameters,
            FaderGang& gang);

  /// A strip that is not heard looks it, and says why.
  void setHeard(Heard heard);
  Heard heard() const { return heard_; }
  StereoMeter& meter() { return meter_; }
  /// Whether the model has anything to sharpen.
  void setTakesFocus(bool takes);

  void paint(juce::Graphics& g) override;
  void resized() override;

 private:
  void addButton(std::unique_ptr<ParameterButton>& button, const juce::String& text,
                 juce::AudioParameterBool* parameter, juce::Colour on, const juce::String& title,
                 const juce::String& tip);
  void paintScale(juce::Graphics& g);

  const juce::String title_;
  const juce::Colour colour_;
  Heard heard_ = Heard::yes;

  StereoMeter meter_;
  Fader fader_;
  juce::Label highest_;
  std::unique_ptr<ParameterButton> mute_, solo_, bypass_;
  std::unique_ptr<FocusBar> focus_;
};

}  // namespace stemlane
