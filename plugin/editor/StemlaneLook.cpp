// SPDX-License-Identifier: GPL-3.0-or-later
// See StemlaneLook.h.
#include "editor/StemlaneLook.h"

#include <array>

namespace stemlane {

juce::Colour colours::stem(int number) {
  static const std::array<juce::Colour, 6> all = {juce::Colour{0xffff6f91}, juce::Colour{0xffffab4a},
                                                  juce::Colour{0xff9b82ff}, juce::Colour{0xff57c98a},
                                                  juce::Colour{0xff4fb4ff}, juce::Colour{0xff9fb0c3}};
  return all[static_cast<std::size_t>(number)];
}

juce::Font StemlaneLook::font(float height, bool bold) {
  return juce::Font(height, bold ? juce::Font::bold : juce::Font::plain);
}

StemlaneLook::StemlaneLook() {
  setColour(juce::ResizableWindow::backgroundColourId, colours::background);
  setColour(juce::Label::textColourId, colours::text);
  setColour(juce::Label::backgroundWhenEditingColourId, colours::groove);
  setColour(juce::TextEditor::highlightColourId, colours::outline.brighter(0.4F));
  setColour(juce::CaretComponent::caretColourId, colours::text);
  setColour(juce::ComboBox::textColourId, colours::text);
  setColour(juce::ComboBox::arrowColourId, colours::faint);
  setColour(juce::PopupMenu::backgroundColourId, colours::panel);
  setColour(juce::PopupMenu::textColourId, colours::text);
  setColour(juce::PopupMenu::highlightedBackgroundColourId, colours::outline);
  setColour(juce::TooltipWindow::backgroundColourId, colours::panel);
  setColour(juce::TooltipWindow::textColourId, colours::text);
  setColour(juce::TooltipWindow::outlineColourId, colours::outline);
}

void StemlaneLook::drawLinearSlider(juce::Graphics& g, int x, int y, int width, int height, float position,
                                    float, float, juce::Slider::SliderStyle, juce::Slider& slider) {
  const juce::Rectangle<float> area = juce::Rectangle<int>(x, y, width, height).toFloat();
  const float alpha = slider.isEnabled() ? 1.0F : 0.3F;
  const juce::Colour colour = slider.findColour(juce::Slider::trackColourId);

  const juce::Rectangle<float> groove = area.withSizeKeepingCentre(4.0F, area.getHeight() + 8.0F);
  g.setColour(colours::groove.withMultipliedAlpha(alpha));
  g.fillRoundedRectangle(groove, 2.0F);
  g.setColour(colour.withMultipliedAlpha(0.75F * alpha));
  g.fillRoundedRectangle(groove.withTop(position), 2.0F);

  const juce::Rectangle<float> thumb =
      juce::Rectangle<float>(28.0F, 18.0F).withCentre({area.getCentreX(), position});
  g.setColour(juce::Colours::black.withAlpha(0.35F * alpha));
  g.fillRoundedRectangle(thumb.translated(0.0F, 2.0F), 4.0F);
  const juce::Colour cap =
      slider.isMouseOverOrDragging() ? juce::Colour(0xff5a6472) : juce::Colour(0xff47505c);
  g.setGradientFill({cap.brighter(0.25F).withMultipliedAlpha(alpha), 0.0F, thumb.getY(),
                     cap.darker(0.25F).withMultipliedAlpha(alpha), 0.0F, thumb.getBottom(), false});
  g.fillRoundedRectangle(thumb, 4.0F);
  g.setColour((slider.isEnabled() ? colour : colours::faint).withMultipliedAlpha(alpha));
  g.fillRoundedRectangle(thumb.withSizeKeepingCentre(20.0F, 2.0F), 1.0F);
}

juce::Label* StemlaneLook::createSliderTextBox(juce::Slider& slider) {
  juce::Label* label = LookAndFeel_V4::createSliderTextBox(slider);
  label->setFont(font(13.0F));
  label->setJustificationType(juce::Justification::centred);
  return label;
}

void StemlaneLook::drawButtonBackground(juce::Graphics& g, juce::Button& button, const juce::Colour&,
                                        bool over, bool down) {
  const juce::Rectangle<float> area = button.getLocalBounds().toFloat().reduced(0.5F);
  const bool on = button.getToggleState();
  juce::Colour fill = on ? button.findColour(juce::TextButton::buttonOnColourId) : colours::groove;
  if (over || down) fill = fill.brighter(down ? 0.2F : 0.1F);
  g.setColour(fill.withMultipliedAlpha(button.isEnabled() ? 1.0F : 0.4F));
  g.fillRoundedRectangle(area, 4.0F);
  g.setColour(on ? fill : colours::outline);
  g.drawRoundedRectangle(area, 4.0F, 1.0F);
}

void StemlaneLook::drawButtonText(juce::Graphics& g, juce::TextButton& button, bool, bool) {
  const juce::Colour text = button.getToggleState() ? colours::background : colours::faint;
  g.setColour(text.withMultipliedAlpha(button.isEnabled() ? 1.0F : 0.4F));
  g.setFont(font(13.0F, true));
  g.drawText(button.getButtonText(), button.getLocalBounds(), juce::Justification::centred, false);
}

void StemlaneLook::drawComboBox(juce::Graphics& g, int width, int height, bool, int, int, int, int,
                                juce::ComboBox& box) {
  const juce::Rectangle<float> area = juce::Rectangle<int>(width, height).toFloat().reduced(0.5F);
  g.setColour(colours::groove);
  g.fillRoundedRectangle(area, 4.0F);
  g.setColour(box.isMouseOver(true) ? colours::faint : colours::outline);
  g.drawRoundedRectangle(area, 4.0F, 1.0F);
  juce::Path arrow;
  const float x = area.getRight() - 16.0F;
  const float y = area.getCentreY();
  arrow.addTriangle(x - 4.0F, y - 2.0F, x + 4.0F, y - 2.0F, x, y + 3.0F);
  g.setColour(colours::faint);
  g.fillPath(arrow);
}

}  // namespace stemlane
