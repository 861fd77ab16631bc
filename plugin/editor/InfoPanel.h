// SPDX-License-Identifier: GPL-3.0-or-later
// A page over the editor: a title, rows of facts, and what can be done about them.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <memory>
#include <vector>

namespace stemlane {

/// Escape, "Close" or a click beside the page ends it. Message thread only.
class InfoPanel final : public juce::Component {
 public:
  struct Row {
    juce::String name;
    juce::String value;
    juce::String action = {};  ///< text of a button; none if empty
    std::function<void()> onAction = {};
  };

  InfoPanel(const juce::String& title, std::vector<Row> rows);
  std::function<void()> onClose;

  void paint(juce::Graphics& g) override;
  void resized() override;
  bool keyPressed(const juce::KeyPress& key) override;
  void mouseDown(const juce::MouseEvent& event) override;

 private:
  juce::Rectangle<int> page() const;
  juce::Rectangle<int> rowArea(std::size_t index) const;

  const juce::String title_;
  const std::vector<Row> rows_;
  std::vector<std::unique_ptr<juce::TextButton>> actions_;  ///< one a row, or null
  juce::TextButton close_{"Close"};
};

}  // namespace stemlane
