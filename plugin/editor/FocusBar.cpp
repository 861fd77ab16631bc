// SPDX-License-Identifier: GPL-3.0-or-later
// See FocusBar.h.
#include "editor/FocusBar.h"

#include <algorithm>

#include "core/contract.h"
#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr ParameterSlider::Steps kStepsPercent = {2.0, 1.0, 10.0};
constexpr int kWidthOfName = 84;  // what the name and the value take side by side

}  // namespace

FocusBar::FocusBar(juce::AudioParameterFloat& focus, juce::Colour colour, const juce::String& title)
    : ParameterSlider(LinearBar, NoTextBox, focus, {0.0, contract::kHighestFocus, 1.0}, kStepsPercent, title),
      colour_(colour) {
  setTextValueSuffix(" %");
}

void FocusBar::paint(juce::Graphics& g) {
  const auto area = getLocalBounds().toFloat().reduced(0.5F);
  g.setColour(colours::groove);
  g.fillRoundedRectangle(area, 4.0F);
  const auto at = [&](double percent) {
    return area.getX() + area.getWidth() * static_cast<float>(percent / contract::kHighestFocus);
  };
  const float middle = at(contract::kNeutralFocus);
  if (isEnabled()) {
    const float end = at(getValue());
    g.setColour(colour_.withAlpha(0.45F));
    g.fillRect(juce::Rectangle<float>::leftTopRightBottom(std::min(middle, end), area.getY() + 1.0F,
                                                          std::max(middle, end), area.getBottom() - 1.0F));
  }
  g.setColour(hasKeyboardFocus(false) ? colours::focus : colours::outline);
  g.drawRoundedRectangle(area, 4.0F, 1.0F);
  g.fillRect(middle - 0.5F, area.getY(), 1.0F, 4.0F);
  g.setColour(isEnabled() ? colours::text : colours::faint);
  g.setFont(StemlaneLook::font(12.0F));
  const auto text = getLocalBounds().reduced(6, 0);
  const juce::String value = isEnabled() ? juce::String(juce::roundToInt(getValue())) : juce::String("-");
  if (getWidth() < kWidthOfName) {
    g.drawText(value, text, juce::Justification::centred, false);
    return;
  }
  g.drawText("Focus", text, juce::Justification::centredLeft, false);
  g.drawText(value, text, juce::Justification::centredRight, false);
}

}  // namespace stemlane
