// SPDX-License-Identifier: GPL-3.0-or-later
// See InfoPanel.h.
#include "editor/InfoPanel.h"

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kWidth = 620;
constexpr int kRowHeight = 40;
constexpr int kTitleHeight = 48;
constexpr int kFooterHeight = 52;
constexpr int kNameWidth = 130;
constexpr int kActionWidth = 90;
constexpr int kMargin = 20;

}  // namespace

InfoPanel::InfoPanel(const juce::String& title, std::vector<Row> rows)
    : title_(title), rows_(std::move(rows)) {
  setTitle(title);
  setFocusContainerType(FocusContainerType::keyboardFocusContainer);
  juce::String all;
  for (const Row& row : rows_) {
    all << row.name << ": " << row.value << "\n";
    actions_.push_back(row.action.isEmpty() ? nullptr : std::make_unique<juce::TextButton>(row.action));
    if (actions_.back() == nullptr) continue;
    actions_.back()->setTitle(row.action + " " + row.name);
    actions_.back()->onClick = row.onAction;
    addAndMakeVisible(*actions_.back());
  }
  setDescription(all);
  close_.setTitle("Close");
  close_.onClick = [this] {
    if (onClose) onClose();
  };
  addAndMakeVisible(close_);
  setWantsKeyboardFocus(true);
}

juce::Rectangle<int> InfoPanel::page() const {
  const int height = kTitleHeight + kRowHeight * static_cast<int>(rows_.size()) + kFooterHeight;
  return juce::Rectangle<int>(std::min(kWidth, getWidth() - kMargin), std::min(height, getHeight() - kMargin))
      .withCentre(getLocalBounds().getCentre());
}

juce::Rectangle<int> InfoPanel::rowArea(std::size_t index) const {
  return page()
      .reduced(kMargin, 0)
      .withTop(page().getY() + kTitleHeight + kRowHeight * static_cast<int>(index))
      .withHeight(kRowHeight);
}

void InfoPanel::paint(juce::Graphics& g) {
  g.fillAll(colours::background.withAlpha(0.75F));
  const auto area = page().toFloat();
  g.setColour(colours::panel);
  g.fillRoundedRectangle(area, 9.0F);
  g.setColour(colours::outline);
  g.drawRoundedRectangle(area, 9.0F, 1.0F);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(18.0F, true));
  g.drawText(title_, page().reduced(kMargin, 0).removeFromTop(kTitleHeight),
             juce::Justification::centredLeft);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    auto row = rowArea(i);
    g.setFont(StemlaneLook::font(13.0F));
    g.setColour(colours::faint);
    g.drawText(rows_[i].name, row.removeFromLeft(kNameWidth), juce::Justification::centredLeft);
    if (actions_[i] != nullptr) row.removeFromRight(kActionWidth + 8);
    g.setColour(colours::text);
    g.drawFittedText(rows_[i].value, row, juce::Justification::centredLeft, 2, 0.9F);
  }
}

void InfoPanel::resized() {
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (actions_[i] != nullptr)
      actions_[i]->setBounds(rowArea(i).removeFromRight(kActionWidth).reduced(0, 7));
  close_.setBounds(page()
                       .reduced(kMargin, 0)
                       .removeFromBottom(kFooterHeight)
                       .removeFromRight(kActionWidth)
                       .reduced(0, 12));
}

bool InfoPanel::keyPressed(const juce::KeyPress& key) {
  if (key != juce::KeyPress::escapeKey) return false;
  if (onClose) onClose();
  return true;
}

void InfoPanel::mouseDown(const juce::MouseEvent& event) {
  if (!page().contains(event.getPosition()) && onClose) onClose();
}

}  // namespace stemlane
