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
  static constexpr int kMargin = 20;  ///< of what is on the card

  /// The card's largest size; it is smaller where the editor is.
  struct Size {
    int width;
    int height;
    int footerHeight;
  };
  explicit Page(const juce::String& title, Size largest);
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
  int footerWidth() const;
  /// A page that has more to say may have a higher one.
  virtual int footerHeight() const { return largest_.footerHeight; }
  virtual void layOut() = 0;

 private:
  juce::Rectangle<int> card() const;

  const Size largest_;
  juce::TextButton close_{"Close"};
};

/// Rows in a list that scrolls, between title and footer, and in the footer what the page says.
class ListPage : public Page {
 public:
  void paint(juce::Graphics& g) override;

 protected:
  explicit ListPage(const juce::String& title, Size largest = {820, 620, 84});
  /// Says a text above the buttons, in as many lines as it needs; screen readers have it as the page's
  /// description. Lays the page out anew.
  void say(const juce::String& text, juce::Colour colour);
  /// The line of buttons below the text, left of "Close".
  juce::Rectangle<int> buttonLine() const { return footer().removeFromBottom(42).withTrimmedBottom(14); }
  /// Puts rows (pointers to components with `heightFor(width)`) below each other.
  template <typename Rows>
  void layOutList(const Rows& rows) {
    layOutList(rows, body().getWidth() - list_.getScrollBarThickness() - 4);  // there is one or there will be
  }
  /// The same with rows of a width.
  template <typename Rows>
  void layOutList(const Rows& rows, int width) {
    list_.setBounds(body());
    int y = 0;
    for (const auto& row : rows) {
      row->setBounds(0, y, width, row->heightFor(width));
      y = row->getBottom();
    }
    content_.setSize(width, y);
  }

  juce::Viewport list_;
  juce::Component content_;

 private:
  int footerHeight() const override;

  juce::String said_;
  juce::Colour colour_;
};

}  // namespace stemlane
