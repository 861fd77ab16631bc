// SPDX-License-Identifier: GPL-3.0-or-later
// A page over the editor: a card with a title, room for rows and a footer. What is on it is others'.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>

namespace stemlane {

/// Escape, "Close" or a click beside the card ends it. Message thread only.
class Page : public juce::Component {
 public:
  static constexpr int kTitleHeight = 48;

  /// The card's largest size; it is smaller where the editor is.
  struct Size {
    int width = 820;
    int height = 620;
    int footerHeight = 84;
  };
  explicit Page(const juce::String& title, Size largest = {820, 620, 84});
  std::function<void()> onClose;

  void paint(juce::Graphics& g) override;
  void resized() override;
  bool keyPressed(const juce::KeyPress& key) override;
  void mouseDown(const juce::MouseEvent& event) override;

 protected:
  /// Right of the title; between title and footer; the footer, left of "Close".
  juce::Rectangle<int> head() const;
  juce::Rectangle<int> body() const;
  juce::Rectangle<int> footer() const;
  virtual void layOut() = 0;

 private:
  juce::Rectangle<int> card() const;

  const Size largest_;
  juce::TextButton close_{"Close"};
};

/// Rows in a list that scrolls, between title and footer.
class ListPage : public Page {
 protected:
  explicit ListPage(const juce::String& title);
  /// Puts rows (pointers to components) below each other, each as high as `heightOf` says.
  template <typename Rows, typename HeightOf>
  void layOutList(const Rows& rows, HeightOf heightOf) {
    list_.setBounds(body());
    const int width = list_.getWidth() - list_.getScrollBarThickness() - 4;  // there is one or there will be
    int height = 0;
    for (const auto& row : rows) height += heightOf(*row);
    content_.setSize(width, height);
    int y = 0;
    for (const auto& row : rows) {
      row->setBounds(0, y, width, heightOf(*row));
      y += heightOf(*row);
    }
  }

  juce::Viewport list_;
  juce::Component content_;
};

}  // namespace stemlane
