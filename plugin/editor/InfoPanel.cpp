// SPDX-License-Identifier: GPL-3.0-or-later
// See InfoPanel.h.
#include "editor/InfoPanel.h"

#include <algorithm>

#include "editor/StemlaneLook.h"
#include "editor/WrappedText.h"

namespace stemlane {
namespace {

constexpr int kWidth = 600;  // what the smallest editor has room for
constexpr int kRowHeight = 40;
constexpr int kBetweenRows = 16;
constexpr int kFooterHeight = 52;
constexpr int kNameWidth = 130;
constexpr int kActionWidth = 90;

int valueWidth(const InfoPanel::Row& row) {
  return kWidth - 2 * Page::kMargin - kNameWidth - (row.action.isEmpty() ? 0 : kActionWidth + 8);
}

int heightOf(const InfoPanel::Row& row) {
  return std::max(kRowHeight, wrappedHeight(row.value, valueWidth(row)) + kBetweenRows);
}

int heightOf(const std::vector<InfoPanel::Row>& rows) {
  int height = 0;
  for (const InfoPanel::Row& row : rows) height += heightOf(row);
  return height;
}

}  // namespace

InfoPanel::InfoPanel(const juce::String& title, std::vector<Row> rows)
    : Page(title, {kWidth, kTitleHeight + heightOf(rows) + kFooterHeight, kFooterHeight}),
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
  int top = body().getY();
  for (std::size_t above = 0; above < index; ++above) top += heightOf(rows_[above]);
  return body().withTop(top).withHeight(heightOf(rows_[index]));
}

void InfoPanel::paint(juce::Graphics& g) {
  Page::paint(g);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    auto row = rowArea(i);
    g.setFont(StemlaneLook::font(13.0F));
    g.setColour(colours::faint);
    g.drawText(rows_[i].name, row.removeFromLeft(kNameWidth), juce::Justification::centredLeft);
    const int width = valueWidth(rows_[i]);
    const int height = wrappedHeight(rows_[i].value, width);
    drawWrapped(g, rows_[i].value, row.withWidth(width).withSizeKeepingCentre(width, height), colours::text);
  }
}

void InfoPanel::layOut() {
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (actions_[i] != nullptr)
      actions_[i]->setBounds(
          rowArea(i).removeFromRight(kActionWidth).withSizeKeepingCentre(kActionWidth, kRowHeight - 14));
}

}  // namespace stemlane
