// SPDX-License-Identifier: GPL-3.0-or-later
// A switch that is a parameter: a click toggles it, the right button opens the host's menu.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include "editor/ParameterSlider.h"

namespace stemlane {

class ParameterButton final : public juce::TextButton {
 public:
  ParameterButton(juce::AudioParameterBool& parameter, const juce::String& label)
      : TextButton(label), parameter_(parameter), attachment_(parameter, *this) {
    setClickingTogglesState(true);
  }

  void mouseDown(const juce::MouseEvent& event) override {
    if (!event.mods.isPopupMenu()) return TextButton::mouseDown(event);
    showHostMenu(*this, parameter_);
  }
  void mouseUp(const juce::MouseEvent& event) override {
    if (!event.mods.isPopupMenu()) TextButton::mouseUp(event);
  }

 private:
  juce::AudioParameterBool& parameter_;
  juce::ButtonParameterAttachment attachment_;
};

}  // namespace stemlane
