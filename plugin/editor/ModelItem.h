// SPDX-License-Identifier: GPL-3.0-or-later
// A model in a menu: its name and what it costs, below them what it gives and under which licence.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include "editor/StemlaneLook.h"

namespace stemlane {

class ModelItem final : public juce::PopupMenu::CustomComponent {
 public:
  ModelItem(const juce::String& title, const juce::String& facts, const juce::String& below, bool isChosen)
      : title_(title), facts_(facts), below_(below), isChosen_(isChosen) {
    setTitle(title_);
    setDescription(facts_ + "; " + below_);
  }
  const juce::String& facts() const { return facts_; }
  const juce::String& below() const { return below_; }
  /// What has come to be known while the menu is open.
  void setBelow(const juce::String& text) {
    below_ = text;
    setDescription(facts_ + "; " + below_);
    repaint();
  }

  void getIdealSize(int& width, int& height) override {
    width = kMark + 12 + kTextWidth;
    height = 44;
  }
  void paint(juce::Graphics& g) override {
    if (isItemHighlighted()) g.fillAll(colours::outline);
    auto area = getLocalBounds().withTrimmedRight(12).reduced(0, 4);
    const auto mark = area.removeFromLeft(kMark).toFloat();
    g.setColour(colours::focus);
    if (isChosen_)
      g.fillEllipse(juce::Rectangle<float>(6.0F, 6.0F).withCentre({mark.getCentreX(), mark.getY() + 9.0F}));
    auto top = area.removeFromTop(area.getHeight() / 2);
    g.setColour(isItemHighlighted() ? colours::text : colours::faint);
    g.setFont(StemlaneLook::font(13.0F));
    g.drawText(facts_, top, juce::Justification::centredRight);
    g.drawText(below_, area, juce::Justification::centredLeft);
    g.setColour(colours::text);
    g.setFont(StemlaneLook::font(14.0F, true));
    g.drawText(title_, top, juce::Justification::centredLeft);
  }

 private:
  static constexpr int kMark = 22;
  static constexpr int kTextWidth = 520;

  const juce::String title_, facts_;
  juce::String below_;
  const bool isChosen_;
};

}  // namespace stemlane
