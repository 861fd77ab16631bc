// SPDX-License-Identifier: GPL-3.0-or-later
// See StemStrip.h.
#include "editor/StemStrip.h"

#include "editor/StemlaneLook.h"
#include "editor/fader_law.h"
#include "editor/gain_display.h"

namespace stemlane {
namespace {

constexpr int kHeaderHeight = 60;
constexpr int kTextBoxHeight = 24;
constexpr int kButtonHeight = 26;
constexpr int kFocusHeight = 20;
constexpr int kMeterWidth = 17;
constexpr int kScaleDb[] = {12, 6, 3, 0, -3, -6, -12, -18, -24, -36, -60};

const char* captionOf(Heard heard) {
  switch (heard) {
    case Heard::yes:
      return "";
    case Heard::silent:
      return "fader down";
    case Heard::muted:
      return "muted";
    case Heard::notSoloed:
      return "not soloed";
    case Heard::passedBy:
      return "not in use";
  }
  return "";
}

}  // namespace

StemStrip::StemStrip(const juce::String& title, juce::Colour colour, const StripParameters& parameters,
                     FaderGang& gang)
    : title_(title),
      colour_(colour),
      meter_(title + " level", colour),
      fader_(parameters.gain, gang, title + " gain") {
  setTitle(title);
  setFocusContainerType(FocusContainerType::none);
  fader_.setColour(juce::Slider::trackColourId, colour);
  fader_.setColour(juce::Slider::textBoxOutlineColourId, colours::outline);
  fader_.setColour(juce::Slider::textBoxBackgroundColourId, colours::groove);
  fader_.setColour(juce::Slider::textBoxTextColourId, colours::text);
  fader_.setTextBoxStyle(juce::Slider::TextBoxBelow, false, 78, kTextBoxHeight);
  fader_.setTooltip(
      "Drag or turn the wheel; Shift or Ctrl for tenths of a dB, double-click or Alt-click for 0 dB, click "
      "the number to type");
  addAndMakeVisible(fader_);
  addAndMakeVisible(meter_);
  highest_.setFont(StemlaneLook::font(12.0F));
  highest_.setJustificationType(juce::Justification::centred);
  highest_.setColour(juce::Label::textColourId, colours::faint);
  highest_.setInterceptsMouseClicks(false, false);
  highest_.setAccessible(false);
  addAndMakeVisible(highest_);
  meter_.onHighest = [this] {
    highest_.setText(shownLevel(meter_.highestDb()), juce::dontSendNotification);
    highest_.setColour(juce::Label::backgroundColourId,
                       meter_.hasClipped() ? colours::bad : juce::Colours::transparentBlack);
    highest_.setColour(juce::Label::textColourId, meter_.hasClipped() ? colours::background : colours::faint);
  };
  meter_.onHighest();
  addButton(mute_, "M", parameters.mute, colours::mute, "Mute " + title, "Take " + title + " out of the mix");
  addButton(solo_, "S", parameters.solo, colours::solo, "Solo " + title,
            "Hear " + title + " and what else is soloed, nothing else");
  addButton(bypass_, "Bypass", parameters.bypass, colours::solo, "Bypass",
            "The mixture as it came in, with the same latency");
  if (parameters.focus == nullptr) return;
  focus_ = std::make_unique<FocusBar>(*parameters.focus, colour, title + " focus");
  addAndMakeVisible(*focus_);
  setTakesFocus(true);
}

void StemStrip::setTakesFocus(bool takes) {
  if (focus_ == nullptr) return;
  focus_->setEnabled(takes);
  focus_->setTooltip(takes ? "Focus: to the right only what is clearly " + title_ +
                                 ", to the left what is doubtful too; the others take or give the rest. "
                                 "Double-click for 50, which changes nothing"
                           : juce::String("This model has no focus: those that come with Stemlane have"));
}

void StemStrip::addButton(std::unique_ptr<ParameterButton>& button, const juce::String& text,
                          juce::AudioParameterBool* parameter, juce::Colour on, const juce::String& title,
                          const juce::String& tip) {
  if (parameter == nullptr) return;
  button = std::make_unique<ParameterButton>(*parameter, text);
  button->setColour(juce::TextButton::buttonOnColourId, on);
  button->setTitle(title);
  button->setTooltip(tip);
  addAndMakeVisible(*button);
}

void StemStrip::setHeard(Heard heard) {
  if (heard == heard_) return;
  heard_ = heard;
  const bool is_heard = heard == Heard::yes;
  fader_.setColour(juce::Slider::trackColourId, is_heard ? colour_ : colours::faint);
  fader_.setColour(juce::Slider::textBoxTextColourId, is_heard ? colours::text : colours::faint);
  meter_.setHeard(is_heard);
  setDescription(captionOf(heard));
  repaint();
}

void StemStrip::paint(juce::Graphics& g) {
  const juce::Rectangle<float> area = getLocalBounds().toFloat().reduced(0.5F);
  g.setColour(colours::panel);
  g.fillRoundedRectangle(area, 7.0F);
  const bool is_heard = heard_ == Heard::yes;

  auto header = getLocalBounds().removeFromTop(kHeaderHeight).reduced(10, 0);
  g.setColour(is_heard ? colour_ : colours::outline);
  g.fillRoundedRectangle(header.removeFromTop(11).toFloat().withHeight(3.0F).withY(8.0F), 1.5F);
  g.setColour(is_heard ? colours::text : colours::faint);
  g.setFont(StemlaneLook::font(15.0F, true));
  g.drawText(title_, header.removeFromTop(24), juce::Justification::centred, true);
  if (!is_heard) {
    g.setColour(colours::faint);
    g.setFont(StemlaneLook::font(12.0F));
    g.drawText(captionOf(heard_), header.removeFromTop(15), juce::Justification::centred, true);
  }
  paintScale(g);
}

void StemStrip::paintScale(juce::Graphics& g) {
  g.setFont(StemlaneLook::font(11.0F));
  const int right = fader_.getBounds().getCentreX() - 20;
  int last = -100;
  for (const int mark : kScaleDb) {
    const int y = fader_.getY() + juce::roundToInt(fader_.getPositionOfValue(mark));
    if (y - last < 12) continue;
    last = y;
    g.setColour(colours::outline.brighter(mark == 0 ? 0.8F : 0.2F));
    g.fillRect(right - 6, y, 6, 1);
    g.setColour(mark == 0 ? colours::text : colours::faint);
    const juce::String text =
        mark <= kSilenceDb ? juce::String::fromUTF8("\u221e") : juce::String(std::abs(mark));
    g.drawText(text, right - 34, y - 7, 25, 14, juce::Justification::centredRight, false);
  }
}

void StemStrip::resized() {
  auto area = getLocalBounds().reduced(10);
  auto buttons = area.removeFromBottom(kButtonHeight);
  if (bypass_ != nullptr) {
    bypass_->setBounds(buttons);
  } else {
    const int width = (buttons.getWidth() - 6) / 2;
    mute_->setBounds(buttons.removeFromLeft(width));
    solo_->setBounds(buttons.removeFromRight(width));
  }
  area.removeFromBottom(8);
  // The output has none, and its scale stands level with the others.
  const auto focus = area.removeFromBottom(kFocusHeight);
  if (focus_ != nullptr) focus_->setBounds(focus);
  area.removeFromBottom(8);
  area.removeFromTop(kHeaderHeight - 10);
  // The fader stands in the middle of its box, the scale left of it, the meter right.
  fader_.setBounds(area);
  const int top = juce::roundToInt(fader_.getPositionOfValue(kHighestDb));
  const int bottom = juce::roundToInt(fader_.getPositionOfValue(kSilenceDb));
  const int left = area.getCentreX() + 21;
  meter_.setBounds(left, area.getY() + top, kMeterWidth, bottom - top);
  highest_.setBounds(left + kMeterWidth / 2 - 20, area.getY() + top - 20, 40, 16);
}

}  // namespace stemlane
