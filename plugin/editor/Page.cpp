// SPDX-License-Identifier: GPL-3.0-or-later
// See Page.h.
#include "editor/Page.h"

#include <algorithm>

#include "editor/StemlaneLook.h"
#include "editor/WrappedText.h"

namespace stemlane {
namespace {

constexpr int kCloseWidth = 90;
constexpr int kAboveText = 6;
constexpr int kBelowText = 42;

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
  return card().reduced(kMargin, 0).withTrimmedTop(kTitleHeight).withTrimmedBottom(footerHeight());
}

int Page::footerWidth() const {
  return card().getWidth() - 2 * kMargin - kCloseWidth - 8;
}

juce::Rectangle<int> Page::footer() const {
  return card().reduced(kMargin, 0).removeFromBottom(footerHeight()).withWidth(footerWidth());
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
  auto corner = card().reduced(kMargin, 0).removeFromBottom(footerHeight());
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

ListPage::ListPage(const juce::String& title, Size largest) : Page(title, largest) {
  list_.setViewedComponent(&content_, false);
  list_.setScrollBarsShown(true, false);
  addAndMakeVisible(list_);
}

void ListPage::say(const juce::String& text, juce::Colour colour) {
  said_ = text;
  colour_ = colour;
  setDescription(text);
  resized();
  repaint();
}

int ListPage::footerHeight() const {
  return std::max(Page::footerHeight(), kAboveText + wrappedHeight(said_, footerWidth()) + kBelowText);
}

void ListPage::paint(juce::Graphics& g) {
  Page::paint(g);
  drawWrapped(g, said_, footer().withTrimmedTop(kAboveText), colour_);
}

}  // namespace stemlane
