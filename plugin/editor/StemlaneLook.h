// SPDX-License-Identifier: GPL-3.0-or-later
// Colours and the drawing of faders, switches and menus. Where they are is the
// editor's business.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

namespace stemlane {

/// Colours of the editor.
namespace colours {
inline const juce::Colour background{0xff12151a};
inline const juce::Colour panel{0xff1b2027};
inline const juce::Colour outline{0xff2c333d};
inline const juce::Colour groove{0xff0c0e12};
inline const juce::Colour text{0xffe8ebf0};
inline const juce::Colour faint{0xff8791a0};
inline const juce::Colour mute{0xffe5534b};
inline const juce::Colour solo{0xfff0c24b};
inline const juce::Colour good{0xff4cc38a};
inline const juce::Colour waiting{0xfff0c24b};
inline const juce::Colour late{0xffff8f40};
inline const juce::Colour bad{0xffe5534b};

/// Colour of a stem, by stem number.
juce::Colour stem(int number);
}  // namespace colours

class StemlaneLook final : public juce::LookAndFeel_V4 {
 public:
  StemlaneLook();

  /// Text in the editor's size `height`, in pixels.
  static juce::Font font(float height, bool bold = false);

  void drawLinearSlider(juce::Graphics&, int x, int y, int width, int height, float position, float low,
                        float high, juce::Slider::SliderStyle, juce::Slider&) override;
  int getSliderThumbRadius(juce::Slider&) override { return 11; }
  juce::Label* createSliderTextBox(juce::Slider&) override;
  void drawButtonBackground(juce::Graphics&, juce::Button&, const juce::Colour&, bool over,
                            bool down) override;
  void drawButtonText(juce::Graphics&, juce::TextButton&, bool over, bool down) override;
  void drawComboBox(juce::Graphics&, int width, int height, bool down, int buttonX, int buttonY,
                    int buttonWidth, int buttonHeight, juce::ComboBox&) override;
  juce::Font getComboBoxFont(juce::ComboBox&) override { return font(14.0F); }
  juce::Font getPopupMenuFont() override { return font(14.0F); }
};

}  // namespace stemlane
