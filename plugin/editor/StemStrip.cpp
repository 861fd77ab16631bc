// SPDX-License-Identifier: GPL-3.0-or-later
// See StemStrip.h.
#include "editor/StemStrip.h"

#include <algorithm>

#include "editor/StemlaneLook.h"
#include "processor/StemParameters.h"

namespace stemlane {
namespace {

constexpr float kFallDbPerFrame = 0.8F;  // 24 dB a second at 30 frames
constexpr int kHeaderHeight = 34;
constexpr int kTextBoxHeight = 22;
constexpr int kButtonHeight = 24;
constexpr int kScaleDb[] = {12, 6, 0, -6, -12, -18, -24, -36, -48, -60};

}  // namespace

LevelMeter::LevelMeter(juce::Colour colour) : colour_(colour), levelDb_(kSilenceDb) {
  setInterceptsMouseClicks(false, false);
}

void LevelMeter::show(float peak) {
  const float peakDb = juce::Decibels::gainToDecibels(peak, kSilenceDb);
  const float next = std::clamp(std::max(peakDb, levelDb_ - kFallDbPerFrame), kSilenceDb, kHighestDb);
  if (next == levelDb_) return;
  levelDb_ = next;
  repaint();
}

void LevelMeter::paint(juce::Graphics& g) {
  const juce::Rectangle<float> area = getLocalBounds().toFloat();
  g.setColour(colours::groove);
  g.fillRoundedRectangle(area, 2.0F);
  const float height = area.getHeight() * (levelDb_ - kSilenceDb) / (kHighestDb - kSilenceDb);
  if (height < 1.0F) return;
  g.setGradientFill(
      {colour_.brighter(0.3F), 0.0F, area.getY(), colour_.darker(0.5F), 0.0F, area.getBottom(), false});
  g.fillRoundedRectangle(area.withTop(area.getBottom() - height), 2.0F);
  if (levelDb_ <= 0.0F) return;
  g.setColour(colours::bad);
  const float zero = area.getHeight() * -kSilenceDb / (kHighestDb - kSilenceDb);
  g.fillRect(area.withTop(area.getBottom() - height).withBottom(area.getBottom() - zero));
}

StemStrip::StemStrip(const juce::String& title, juce::Colour colour, juce::AudioParameterFloat& gain,
                     juce::AudioParameterBool* mute, juce::AudioParameterBool* solo)
    : title_(title), colour_(colour), meter_(colour), faderAttachment_(gain, fader_) {
  fader_.setColour(juce::Slider::trackColourId, colour);
  fader_.setColour(juce::Slider::textBoxOutlineColourId, colours::outline);
  fader_.setColour(juce::Slider::textBoxBackgroundColourId, colours::groove);
  fader_.setColour(juce::Slider::textBoxTextColourId, colours::text);
  fader_.setTitle(title + " gain");
  fader_.setTextBoxStyle(juce::Slider::TextBoxBelow, false, 64, kTextBoxHeight);
  fader_.textFromValueFunction = [](double value) {
    const juce::String text = faderText(static_cast<float>(value));
    return (value > 0.0 ? "+" + text : text) + " dB";
  };
  fader_.updateText();
  addAndMakeVisible(fader_);
  addAndMakeVisible(meter_);
  addSwitch(mute_, muteAttachment_, mute, colours::mute, "Mute " + title);
  addSwitch(solo_, soloAttachment_, solo, colours::solo, "Solo " + title);
}

void StemStrip::addSwitch(juce::TextButton& button,
                          std::unique_ptr<juce::ButtonParameterAttachment>& attachment,
                          juce::AudioParameterBool* parameter, juce::Colour on, const juce::String& tip) {
  if (parameter == nullptr) return;
  button.setClickingTogglesState(true);
  button.setColour(juce::TextButton::buttonOnColourId, on);
  button.setTooltip(tip);
  button.setTitle(tip);
  attachment = std::make_unique<juce::ButtonParameterAttachment>(*parameter, button);
  addAndMakeVisible(button);
}

void StemStrip::setPresent(bool present) {
  if (present == present_) return;
  present_ = present;
  for (juce::Component* part : {static_cast<juce::Component*>(&fader_), static_cast<juce::Component*>(&mute_),
                                static_cast<juce::Component*>(&solo_)}) {
    part->setEnabled(present);
    part->setAlpha(present ? 1.0F : 0.45F);
  }
  repaint();
}

void StemStrip::paint(juce::Graphics& g) {
  const juce::Rectangle<float> area = getLocalBounds().toFloat().reduced(0.5F);
  g.setColour(colours::panel.withMultipliedAlpha(present_ ? 1.0F : 0.55F));
  g.fillRoundedRectangle(area, 7.0F);
  g.setColour(colours::outline.withMultipliedAlpha(present_ ? 1.0F : 0.6F));
  g.drawRoundedRectangle(area, 7.0F, 1.0F);

  const auto header = getLocalBounds().removeFromTop(kHeaderHeight).reduced(10, 0);
  g.setColour(present_ ? colour_ : colours::faint.withAlpha(0.35F));
  g.fillRoundedRectangle(header.toFloat().withHeight(3.0F).withY(8.0F), 1.5F);
  g.setColour(present_ ? colours::text : colours::faint.withAlpha(0.6F));
  g.setFont(StemlaneLook::font(14.0F, true));
  g.drawText(title_, header.withTrimmedTop(13), juce::Justification::centred, false);
  if (!present_) {
    g.setFont(StemlaneLook::font(11.0F));
    g.drawText("not in model", getLocalBounds().withTop(kHeaderHeight).withHeight(12),
               juce::Justification::centred, false);
  }

  g.setFont(StemlaneLook::font(10.5F));
  const int left = 6;
  for (const int mark : kScaleDb) {
    const int y = fader_.getY() + juce::roundToInt(fader_.getPositionOfValue(mark));
    g.setColour(colours::faint.withAlpha(present_ ? (mark == 0 ? 1.0F : 0.75F) : 0.3F));
    const juce::String text = mark <= kSilenceDb ? "inf" : juce::String(std::abs(mark));
    g.drawText(text, left, y - 6, 20, 12, juce::Justification::centredRight, false);
    g.setColour(colours::outline.brighter(mark == 0 ? 0.6F : 0.1F).withAlpha(present_ ? 1.0F : 0.4F));
    g.fillRect(left + 23, y, 7, 1);
  }
}

juce::Rectangle<int> StemStrip::buttonArea() const {
  return getLocalBounds().reduced(10).removeFromBottom(kButtonHeight);
}

void StemStrip::resized() {
  auto buttons = buttonArea();
  const int width = (buttons.getWidth() - 6) / 2;
  mute_.setBounds(buttons.removeFromLeft(width));
  solo_.setBounds(buttons.removeFromRight(width));
  const auto area =
      getLocalBounds().reduced(10).withTrimmedTop(kHeaderHeight).withTrimmedBottom(kButtonHeight + 8);
  // The fader stands in the middle of its box, the scale left of it, the meter right.
  fader_.setBounds(area);
  const int top = juce::roundToInt(fader_.getPositionOfValue(kHighestDb));
  const int bottom = juce::roundToInt(fader_.getPositionOfValue(kSilenceDb));
  meter_.setBounds(area.getCentreX() + 22, area.getY() + top, 7, bottom - top);
}

}  // namespace stemlane
