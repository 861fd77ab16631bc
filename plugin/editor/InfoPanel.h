// SPDX-License-Identifier: GPL-3.0-or-later
// A page with rows of facts, and what can be done about them.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "editor/Page.h"

namespace stemlane {

/// Message thread only.
class InfoPanel final : public Page {
 public:
  struct Row {
    juce::String name;
    juce::String value;
    juce::String action = {};  ///< text of a button; none if empty
    std::function<void()> onAction = {};
  };

  InfoPanel(const juce::String& title, std::vector<Row> rows);
  void paint(juce::Graphics& g) override;

 private:
  void layOut() override;
  juce::Rectangle<int> rowArea(std::size_t index) const;

  const std::vector<Row> rows_;                             ///< each as high as its value needs
  std::vector<std::unique_ptr<juce::TextButton>> actions_;  ///< one a row, or null
};

}  // namespace stemlane
