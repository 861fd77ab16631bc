// SPDX-License-Identifier: GPL-3.0-or-later
// One touch: the presets people reach for most, a capture, linked faders, and everything back to neutral.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <array>

#include "editor/CaptureButton.h"
#include "editor/FaderGang.h"
#include "editor/PresetButton.h"
#include "processor/PluginProcessor.h"
#include "processor/Presets.h"

namespace stemlane {

/// A preset's button is lit while it is in force; pressed again, it takes back what it has set.
class QuickBar final : public juce::Component {
 public:
  QuickBar(StemlaneProcessor& processor, FaderGang& gang);

  /// Shows how the parameters stand.
  void refresh();
  void resized() override;
  CaptureButton& capture() { return capture_; }

 private:
  void press(const Preset& preset);

  StemlaneProcessor& processor_;
  FaderGang& gang_;
  std::array<PresetButton, kNumOneTouchPresets> presets_;
  CaptureButton capture_;
  juce::TextButton link_{"Link"};
  juce::TextButton reset_{"Reset"};
};

}  // namespace stemlane
