// SPDX-License-Identifier: GPL-3.0-or-later
// The typeface and the drawing of faders, buttons and menus. Where they are is the editor's
// business.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include "editor/Palette.h"

namespace stemlane {

class StemlaneLook final : public juce::LookAndFeel_V4 {
 public:
  StemlaneLook();

  /// Text in the editor's size `height`, in pixels: Inter where the build has found it, else the
  /// system's sans.
  static juce::Font font(float height, bool bold = false);
  // Of a line of text, in pixels.
  static float textWidth(const juce::Font& font, const juce::String& text);
  /// Name and licence of the embedded typeface; empty if there is none.
  static juce::String typefaceLicence();

  void drawLinearSlider(juce::Graphics&, int x, int y, int width, int height, float position, float low,
                        float high, juce::Slider::SliderStyle, juce::Slider&) override;
  int getSliderThumbRadius(juce::Slider&) override { return 11; }
  juce::Label* createSliderTextBox(juce::Slider&) override;
  void drawButtonBackground(juce::Graphics&, juce::Button&, const juce::Colour&, bool over,
                            bool down) override;
  juce::Font getTextButtonFont(juce::TextButton&, int) override { return font(13.0F, true); }
  void drawButtonText(juce::Graphics&, juce::TextButton&, bool over, bool down) override;
  void drawComboBox(juce::Graphics&, int width, int height, bool down, int buttonX, int buttonY,
                    int buttonWidth, int buttonHeight, juce::ComboBox&) override;
  juce::Font getComboBoxFont(juce::ComboBox&) override { return font(14.0F); }
  /// In the editor, not in a window of its own, which some hosts put behind theirs.
  juce::PopupMenu::Options getOptionsForComboBoxPopupMenu(juce::ComboBox&, juce::Label&) override;
  juce::Font getPopupMenuFont() override { return font(14.0F); }
  juce::Rectangle<int> getTooltipBounds(const juce::String& text, juce::Point<int> position,
                                        juce::Rectangle<int> area) override;
  void drawTooltip(juce::Graphics&, const juce::String& text, int width, int height) override;

 private:
  struct Typefaces {
    Typefaces();
    juce::Typeface::Ptr plain, bold;  ///< null: the system's
  };
  juce::SharedResourcePointer<Typefaces> typefaces_;  ///< kept while anything draws with them
};

/// The ring around what has the keyboard.
void drawFocusRing(juce::Graphics& g, const juce::Component& component, float cornerSize);

}  // namespace stemlane
