// SPDX-License-Identifier: GPL-3.0-or-later
// See Fader.h.
#include "editor/Fader.h"

#include "editor/fader_law.h"
#include "editor/gain_display.h"

namespace stemlane {
namespace {

constexpr ParameterSlider::Steps kStepsDb = {1.0, 0.1, 6.0};

juce::NormalisableRange<double> handRange() {
  return {kSilenceDb, kHighestDb, [](double, double, double position) { return faderGainAt(position); },
          [](double, double, double gainDb) { return faderPosition(gainDb); },
          [](double, double, double gainDb) {
            return static_cast<double>(faderRange().snapToLegalValue(static_cast<float>(gainDb)));
          }};
}

}  // namespace

Fader::Fader(juce::AudioParameterFloat& gain, FaderGang& gang, const juce::String& title)
    : ParameterSlider(LinearVertical, TextBoxBelow, gain, handRange(), kStepsDb, title), gang_(gang) {
  textFromValueFunction = [](double gainDb) { return shownGain(static_cast<float>(gainDb)); };
  valueFromTextFunction = [this](const juce::String& text) {
    return static_cast<double>(faderValue(text, parameter().get()));
  };
  updateText();
  lookAndFeelChanged();
}

double Fader::length() const {
  return getPositionOfValue(kSilenceDb) - getPositionOfValue(kHighestDb);
}

bool Fader::keyPressed(const juce::KeyPress& key) {
  if (key.getKeyCode() != juce::KeyPress::returnKey) return ParameterSlider::keyPressed(key);
  showTextBox();
  return true;
}

// Slider makes its text box anew. Tab goes from fader to fader, and Return types into one.
void Fader::lookAndFeelChanged() {
  Slider::lookAndFeelChanged();
  for (auto* child : getChildren()) {
    child->setTitle(getTitle() + " as text");
    child->setWantsKeyboardFocus(false);
  }
}

// A strip turns grey and coloured while it is played: Slider would make its text box anew, and take it away
// from someone who types into it.
void Fader::colourChanged() {
  for (auto* child : getChildren())
    for (const int text :
         {static_cast<int>(juce::Label::textColourId), static_cast<int>(juce::TextEditor::textColourId)})
      child->setColour(text, findColour(textBoxTextColourId));
  repaint();
}

}  // namespace stemlane
