// SPDX-License-Identifier: GPL-3.0-or-later
// A page over the editor: a card with a title, room for a list and a footer. What is on it is others'.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>

namespace stemlane {

/// Escape, "Close" or a click beside the card ends it. Message thread only.
class Page : public juce::Component {
 public:
  explicit Page(const juce::String& title);
  std::function<void()> onClose;

  void paint(juce::Graphics& g) override;
  void resized() override;
  bool keyPressed(const juce::KeyPress& key) override;
  void mouseDown(const juce::MouseEvent& event) override;

 protected:
  static constexpr int kFooterHeight = 84;
  /// Between title and footer; and the footer, left of "Close".
  juce::Rectangle<int> body() const;
  juce::Rectangle<int> footer() const;
  virtual void layOut() = 0;

 private:
  juce::Rectangle<int> card() const;

  juce::TextButton close_{"Close"};
};

}  // namespace stemlane
