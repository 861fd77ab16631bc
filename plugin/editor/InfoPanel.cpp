// SPDX-License-Identifier: GPL-3.0-or-later
// See InfoPanel.h.
#include "editor/InfoPanel.h"

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kWidth = 620;
constexpr int kRowHeight = 40;
constexpr int kFooterHeight = 52;
constexpr int kNameWidth = 130;
constexpr int kActionWidth = 90;

}  // namespace

InfoPanel::InfoPanel(const juce::String& title, std::vector<Row> rows)
    : Page(title, {kWidth, kTitleHeight + kRowHeight * static_cast<int>(rows.size()) + kFooterHeight,
                   kFooterHeight}),
      rows_(std::move(rows)) {
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
}

juce::Rectangle<int> InfoPanel::rowArea(std::size_t index) const {
  return body().withTop(body().getY() + kRowHeight * static_cast<int>(index)).withHeight(kRowHeight);
}

void InfoPanel::paint(juce::Graphics& g) {
  Page::paint(g);
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

void InfoPanel::layOut() {
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (actions_[i] != nullptr)
      actions_[i]->setBounds(rowArea(i).removeFromRight(kActionWidth).reduced(0, 7));
}

}  // namespace stemlane
