// SPDX-License-Identifier: GPL-3.0-or-later
// A stem that has become a file: dragged, it lands in the DAW's timeline or in a file manager.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include "editor/StemlaneLook.h"
#include "processor/StemParameters.h"

namespace stemlane {

class StemChip final : public juce::Component, public juce::SettableTooltipClient {
 public:
  StemChip(const juce::String& name, const juce::File& file) : name_(name), file_(file) {
    setTitle(name + " of " + file.getParentDirectory().getFileName());
    setTooltip("Drag it into the DAW or a folder. " + file.getFullPathName());
    setMouseCursor(juce::MouseCursor::DraggingHandCursor);
    setWantsKeyboardFocus(true);
    if (const int stem = stem_number(name.toStdString()); stem >= 0) colour_ = colours::stem(stem);
  }

  const juce::File& file() const { return file_; }
  int bestWidth() const { return StemlaneLook::font(13.0F).getStringWidth(name_) + 34; }

  void paint(juce::Graphics& g) override {
    const auto area = getLocalBounds().toFloat().reduced(1.0F);
    g.setColour(isMouseOver() ? colours::raised.brighter(0.1F) : colours::raised);
    g.fillRoundedRectangle(area, 4.0F);
    g.setColour(colour_);
    g.fillRoundedRectangle(area.withWidth(5.0F), 2.0F);
    g.setColour(colours::text);
    g.setFont(StemlaneLook::font(13.0F));
    g.drawText(name_, getLocalBounds().withTrimmedLeft(12), juce::Justification::centredLeft);
    drawFocusRing(g, *this, 4.0F);
  }
  void mouseEnter(const juce::MouseEvent&) override { repaint(); }
  void mouseExit(const juce::MouseEvent&) override { repaint(); }
  void mouseDrag(const juce::MouseEvent& event) override {
    if (event.getDistanceFromDragStart() > 4 && file_.existsAsFile())
      juce::DragAndDropContainer::performExternalDragDropOfFiles({file_.getFullPathName()}, false, this);
  }

 private:
  const juce::String name_;
  const juce::File file_;
  juce::Colour colour_ = colours::faint;
};

}  // namespace stemlane
