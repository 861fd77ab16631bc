// SPDX-License-Identifier: GPL-3.0-or-later
// See StemlaneLook.h.
#include "editor/StemlaneLook.h"

#include "editor/PresetButton.h"

#if STEMLANE_TYPEFACE
#include "StemlaneTypeface.h"
#endif

namespace stemlane {

StemlaneLook::Typefaces::Typefaces() {
#if STEMLANE_TYPEFACE
  plain = juce::Typeface::createSystemTypefaceFor(StemlaneTypeface::InterRegular_otf,
                                                  StemlaneTypeface::InterRegular_otfSize);
  bold = juce::Typeface::createSystemTypefaceFor(StemlaneTypeface::InterSemiBold_otf,
                                                 StemlaneTypeface::InterSemiBold_otfSize);
#endif
}

juce::Font StemlaneLook::font(float height, bool bold) {
  const juce::SharedResourcePointer<Typefaces> typefaces;
  const juce::Typeface::Ptr typeface = bold ? typefaces->bold : typefaces->plain;
  if (typeface == nullptr) return juce::Font(height, bold ? juce::Font::bold : juce::Font::plain);
  return juce::Font(typeface).withHeight(height);
}

// Font's own measure is gone from JUCE 8.0.13 on, and the arrangement's is not in JUCE 7.
float StemlaneLook::textWidth(const juce::Font& font, const juce::String& text) {
  juce::GlyphArrangement glyphs;
  glyphs.addLineOfText(font, text, 0.0F, 0.0F);
  return glyphs.getBoundingBox(0, glyphs.getNumGlyphs(), true).getWidth();
}

juce::String StemlaneLook::typefaceLicence() {
#if STEMLANE_TYPEFACE
  return "Inter, SIL Open Font License 1.1";
#else
  return {};
#endif
}

StemlaneLook::StemlaneLook() {
  setColour(juce::ResizableWindow::backgroundColourId, colours::background);
  setColour(juce::Label::textColourId, colours::text);
  setColour(juce::Label::backgroundWhenEditingColourId, colours::groove);
  setColour(juce::Label::textWhenEditingColourId, colours::text);
  setColour(juce::TextEditor::backgroundColourId, colours::groove);
  setColour(juce::TextEditor::textColourId, colours::text);
  setColour(juce::TextEditor::outlineColourId, colours::outline);
  setColour(juce::TextEditor::focusedOutlineColourId, colours::focus);
  setColour(juce::TextEditor::highlightColourId, colours::focus.withAlpha(0.4F));
  setColour(juce::TextEditor::highlightedTextColourId, colours::text);
  setColour(juce::CaretComponent::caretColourId, colours::text);
  setColour(juce::TextButton::buttonOnColourId, colours::focus);
  setColour(juce::ComboBox::textColourId, colours::text);
  setColour(juce::ComboBox::arrowColourId, colours::faint);
  setColour(juce::PopupMenu::backgroundColourId, colours::panel);
  setColour(juce::PopupMenu::textColourId, colours::text);
  setColour(juce::PopupMenu::headerTextColourId, colours::faint);
  setColour(juce::PopupMenu::highlightedBackgroundColourId, colours::outline);
  setColour(juce::PopupMenu::highlightedTextColourId, colours::text);
  setColour(juce::TooltipWindow::backgroundColourId, colours::panel);
  setColour(juce::TooltipWindow::textColourId, colours::text);
  setColour(juce::TooltipWindow::outlineColourId, colours::outline);
}

void drawFocusRing(juce::Graphics& g, const juce::Component& component, float cornerSize) {
  if (!component.hasKeyboardFocus(false)) return;
  g.setColour(colours::focus);
  g.drawRoundedRectangle(component.getLocalBounds().toFloat().reduced(1.0F), cornerSize, 2.0F);
}

void StemlaneLook::drawLinearSlider(juce::Graphics& g, int x, int y, int width, int height, float position,
                                    float, float, juce::Slider::SliderStyle, juce::Slider& slider) {
  const juce::Rectangle<float> area = juce::Rectangle<int>(x, y, width, height).toFloat();
  const juce::Colour colour = slider.findColour(juce::Slider::trackColourId);

  const juce::Rectangle<float> groove = area.withSizeKeepingCentre(5.0F, area.getHeight() + 8.0F);
  g.setColour(colours::groove);
  g.fillRoundedRectangle(groove, 2.5F);
  // From unity to the cap: what the fader does to the stem.
  const float unity = y + slider.getPositionOfValue(0.0) - static_cast<float>(y);
  g.setColour(colour.withMultipliedAlpha(0.85F));
  g.fillRoundedRectangle(groove.withTop(juce::jmin(unity, position)).withBottom(juce::jmax(unity, position)),
                         2.0F);

  const juce::Rectangle<float> cap =
      juce::Rectangle<float>(30.0F, 20.0F).withCentre({area.getCentreX(), position});
  g.setColour(juce::Colours::black.withAlpha(0.35F));
  g.fillRoundedRectangle(cap.translated(0.0F, 2.0F), 4.0F);
  const juce::Colour metal =
      slider.isMouseOverOrDragging() ? juce::Colour(0xff606b7a) : juce::Colour(0xff4b5562);
  g.setGradientFill(
      {metal.brighter(0.25F), 0.0F, cap.getY(), metal.darker(0.3F), 0.0F, cap.getBottom(), false});
  g.fillRoundedRectangle(cap, 4.0F);
  g.setColour(colour);
  g.fillRoundedRectangle(cap.withSizeKeepingCentre(20.0F, 2.0F), 1.0F);
  if (!slider.hasKeyboardFocus(false)) return;
  g.setColour(colours::focus);
  g.drawRoundedRectangle(cap.expanded(2.0F), 5.0F, 2.0F);
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
  juce::Colour fill = on ? button.findColour(juce::TextButton::buttonOnColourId) : colours::raised;
  if (over || down) fill = fill.brighter(down ? 0.2F : 0.1F);
  g.setColour(fill.withMultipliedAlpha(button.isEnabled() ? 1.0F : 0.4F));
  g.fillRoundedRectangle(area, 4.0F);
  drawFocusRing(g, button, 4.0F);
}

void StemlaneLook::drawButtonText(juce::Graphics& g, juce::TextButton& button, bool, bool) {
  const juce::Colour text = button.getToggleState() ? colours::background : colours::text;
  g.setColour(text.withMultipliedAlpha(button.isEnabled() ? 1.0F : 0.35F));
  g.setFont(font(13.0F, button.getToggleState()));
  const bool hasStripe = dynamic_cast<PresetButton*>(&button) != nullptr;  // below the text
  g.drawText(button.getButtonText(),
             button.getLocalBounds().reduced(4, 0).withTrimmedBottom(hasStripe ? 5 : 0),
             juce::Justification::centred, true);
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
  drawFocusRing(g, box, 4.0F);
}

juce::PopupMenu::Options StemlaneLook::getOptionsForComboBoxPopupMenu(juce::ComboBox& box,
                                                                      juce::Label& label) {
  return LookAndFeel_V4::getOptionsForComboBoxPopupMenu(box, label)
      .withParentComponent(box.getTopLevelComponent());
}

namespace {

// A tooltip's text, wrapped.
juce::TextLayout tooltipLayout(const juce::String& text) {
  constexpr float kWidest = 360.0F;
  juce::AttributedString words;
  words.setJustification(juce::Justification::centredLeft);
  words.append(text, StemlaneLook::font(13.0F), colours::text);
  juce::TextLayout layout;
  layout.createLayout(words, kWidest);
  return layout;
}

}  // namespace

juce::Rectangle<int> StemlaneLook::getTooltipBounds(const juce::String& text, juce::Point<int> position,
                                                    juce::Rectangle<int> area) {
  const juce::TextLayout layout = tooltipLayout(text);
  const auto size = juce::Rectangle<int>(juce::roundToInt(layout.getWidth()) + 18,
                                         juce::roundToInt(layout.getHeight()) + 12);
  return size.withPosition(position.x + 12, position.y + 16).constrainedWithin(area);
}

void StemlaneLook::drawTooltip(juce::Graphics& g, const juce::String& text, int width, int height) {
  const auto area = juce::Rectangle<int>(width, height).toFloat();
  g.fillAll(colours::panel);
  g.setColour(colours::outline);
  g.drawRect(area, 1.0F);
  tooltipLayout(text).draw(g, area.reduced(9.0F, 6.0F));
}

}  // namespace stemlane
