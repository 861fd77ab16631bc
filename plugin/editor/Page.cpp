// SPDX-License-Identifier: GPL-3.0-or-later
// See Page.h.
#include "editor/Page.h"

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kMargin = 20;
constexpr int kCloseWidth = 90;

}  // namespace

Page::Page(const juce::String& title, Size largest) : largest_(largest) {
  setTitle(title);
  setFocusContainerType(FocusContainerType::keyboardFocusContainer);
  setWantsKeyboardFocus(true);
  close_.setTitle("Close");
  close_.onClick = [this] {
    if (onClose) onClose();
  };
  addAndMakeVisible(close_);
}

juce::Rectangle<int> Page::card() const {
  return juce::Rectangle<int>(std::min(largest_.width, getWidth() - 2 * kMargin),
                              std::min(largest_.height, getHeight() - 2 * kMargin))
      .withCentre(getLocalBounds().getCentre());
}

juce::Rectangle<int> Page::head() const {
  return card().reduced(kMargin, 0).removeFromTop(kTitleHeight).reduced(0, 10).withTrimmedLeft(90);
}

juce::Rectangle<int> Page::body() const {
  return card().reduced(kMargin, 0).withTrimmedTop(kTitleHeight).withTrimmedBottom(largest_.footerHeight);
}

juce::Rectangle<int> Page::footer() const {
  return card().reduced(kMargin, 0).removeFromBottom(largest_.footerHeight).withTrimmedRight(kCloseWidth + 8);
}

void Page::paint(juce::Graphics& g) {
  g.fillAll(colours::background.withAlpha(0.75F));
  const auto area = card().toFloat();
  g.setColour(colours::panel);
  g.fillRoundedRectangle(area, 9.0F);
  g.setColour(colours::outline);
  g.drawRoundedRectangle(area, 9.0F, 1.0F);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(18.0F, true));
  g.drawText(getTitle(), card().reduced(kMargin, 0).removeFromTop(kTitleHeight),
             juce::Justification::centredLeft);
}

void Page::resized() {
  auto corner = card().reduced(kMargin, 0).removeFromBottom(largest_.footerHeight);
  corner = corner.removeFromRight(kCloseWidth);
  close_.setBounds(corner.removeFromBottom(42).withTrimmedBottom(14));
  layOut();
}

bool Page::keyPressed(const juce::KeyPress& key) {
  if (key != juce::KeyPress::escapeKey) return false;
  if (onClose) onClose();
  return true;
}

void Page::mouseDown(const juce::MouseEvent& event) {
  if (!card().contains(event.getPosition()) && onClose) onClose();
}

ListPage::ListPage(const juce::String& title) : Page(title) {
  list_.setViewedComponent(&content_, false);
  list_.setScrollBarsShown(true, false);
  addAndMakeVisible(list_);
}

}  // namespace stemlane
