// SPDX-License-Identifier: GPL-3.0-or-later
// A page with rows of facts, and what can be done about them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "editor/Page.h"

namespace stemlane {

/// Scrolls where the editor is too low for it. Message thread only.
class InfoPanel final : public ListPage {
 public:
  struct Row {
    juce::String name;
    juce::String value;
    juce::String action = {};  ///< text of a button; none if empty
    std::function<void()> onAction = {};
  };

  InfoPanel(const juce::String& title, const std::vector<Row>& rows);
  ~InfoPanel() override;

 private:
  class RowView;

  void layOut() override;

  std::vector<std::unique_ptr<RowView>> rows_;
};

}  // namespace stemlane
