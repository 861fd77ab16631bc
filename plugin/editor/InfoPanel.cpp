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

int valueWidth(const InfoPanel::Row& row, int width) {
  return width - kNameWidth - (row.action.isEmpty() ? 0 : kActionWidth + 8);
}

/// As high as its value needs.
int heightOf(const InfoPanel::Row& row, int width) {
  return std::max(kRowHeight, wrappedHeight(row.value, valueWidth(row, width)) + kBetweenRows);
}

int heightOf(const std::vector<InfoPanel::Row>& rows) {
  int height = 0;
  for (const InfoPanel::Row& row : rows) height += heightOf(row, kWidth - 2 * Page::kMargin);
  return height;
}

}  // namespace

class InfoPanel::RowView final : public juce::Component {
 public:
  explicit RowView(const Row& row) : row_(row), action_(row.action) {
    setTitle(row.name);
    setDescription(row.value);
    if (row.action.isEmpty()) return;
    action_.setTitle(row.action + " " + row.name);
    action_.onClick = row.onAction;
    addAndMakeVisible(action_);
  }

  int heightFor(int width) const { return heightOf(row_, width); }

  void paint(juce::Graphics& g) override {
    auto area = getLocalBounds();
    g.setFont(StemlaneLook::font(13.0F));
    g.setColour(colours::faint);
    g.drawText(row_.name, area.removeFromLeft(kNameWidth), juce::Justification::centredLeft);
    const int width = valueWidth(row_, getWidth());
    const int height = wrappedHeight(row_.value, width);
    drawWrapped(g, row_.value, area.withWidth(width).withSizeKeepingCentre(width, height), colours::text);
  }
  void resized() override {
    action_.setBounds(
        getLocalBounds().removeFromRight(kActionWidth).withSizeKeepingCentre(kActionWidth, kRowHeight - 14));
  }

 private:
  const Row row_;
  juce::TextButton action_;
};

InfoPanel::InfoPanel(const juce::String& title, const std::vector<Row>& rows)
    : ListPage(title, {kWidth, kTitleHeight + heightOf(rows) + kFooterHeight, kFooterHeight}) {
  juce::String all;
  for (const Row& row : rows) {
    all << row.name << ": " << row.value << "\n";
    rows_.push_back(std::make_unique<RowView>(row));
    content_.addAndMakeVisible(*rows_.back());
  }
  setDescription(all);
}

InfoPanel::~InfoPanel() = default;

void InfoPanel::layOut() {
  layOutList(rows_, body().getWidth());
  if (content_.getHeight() > list_.getHeight()) layOutList(rows_);
}

}  // namespace stemlane
