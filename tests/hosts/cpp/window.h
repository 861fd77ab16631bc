// SPDX-License-Identifier: GPL-3.0-or-later
// An editor in a window of the X server, and a hand at its mouse and keyboard. Events take the way that
// those of a real mouse take: through the window, to whatever lies under the pointer.
#pragma once

#include <catch2/catch.hpp>

#include <functional>
#include <vector>

#include "editor/PluginEditor.h"
#include "editor/message_queue.h"
#include "processor_fixture.h"

using Keys = juce::ModifierKeys;

/// Lets all messages arrive that are under way, as a host's loop does.
inline void pump() {
  stemlane::deliverMessages();
}

inline void for_each_component(juce::Component& parent, const std::function<void(juce::Component&)>& visit) {
  for (auto* child : parent.getChildren()) {
    visit(*child);
    for_each_component(*child, visit);
  }
}

/// The component of a kind with a title, the way a screen reader names it; null if there is none.
template <typename Widget>
Widget* find(juce::Component& parent, const juce::String& title) {
  Widget* found = nullptr;
  for_each_component(parent, [&](juce::Component& component) {
    if (auto* widget = dynamic_cast<Widget*>(&component); widget != nullptr && widget->getTitle() == title)
      found = widget;
  });
  return found;
}

/// The item of an open menu, as a screen reader finds it; null if there is none.
inline juce::AccessibilityHandler* menu_item(juce::Component& parent, const juce::String& title) {
  juce::AccessibilityHandler* found = nullptr;
  for_each_component(parent, [&](juce::Component& component) {
    auto* handler = component.getAccessibilityHandler();
    if (handler != nullptr && handler->getRole() == juce::AccessibilityRole::menuItem &&
        handler->getTitle() == title)
      found = handler;
  });
  return found;
}

class Window {
 public:
  explicit Window(stemlane::StemlaneProcessor& processor) : editor(processor) {
    editor.addToDesktop(0);
    editor.setTopLeftPosition(10, 10);
    editor.setVisible(true);
    REQUIRE(editor.getPeer() != nullptr);
    focus(editor);
  }
  ~Window() {
    Keys::currentModifiers = {};
    pump();
  }

  template <typename Widget>
  Widget& get(const juce::String& title) {
    auto* widget = find<Widget>(editor, title);
    INFO(title.toStdString());
    REQUIRE(widget != nullptr);
    return *widget;
  }

  /// Gives a component the keyboard. The X server grants it when it sees fit.
  void focus(juce::Component& component) {
    INFO(component.getTitle().toStdString());
    REQUIRE(wait_for([&] {
      pump();
      component.grabKeyboardFocus();
      return editor.getPeer()->isFocused() && component.hasKeyboardFocus(true);
    }));
  }

  /// Middle of a component, in the window.
  juce::Point<float> middle(juce::Component& component) {
    return editor.getLocalPoint(&component, component.getLocalBounds().getCentre()).toFloat();
  }

  void press(juce::Point<float> at, int keys = 0, int button = Keys::leftButtonModifier) {
    at_ = at;
    button_ = button;
    move(keys, 0);
    move(keys, button);
  }
  void drag(float dx, float dy, int keys = 0) {
    at_ += {dx, dy};
    move(keys, button_);
  }
  void release(int keys = 0) { move(keys, 0); }
  void click(juce::Point<float> at, int keys = 0, int button = Keys::leftButtonModifier) {
    press(at, keys, button);
    release(keys);
    time_ += 2000;  // the next one is no double-click
  }
  void click(juce::Component& component, int keys = 0) { click(middle(component), keys); }
  void double_click(juce::Component& component) {
    press(middle(component));
    release();
    time_ += 50;
    press(middle(component));
    release();
    time_ += 2000;
  }
  void wheel(juce::Component& component, float way, int keys = 0, bool smooth = false) {
    Keys::currentModifiers = Keys(keys);
    time_ += 20;
    editor.getPeer()->handleMouseWheel(juce::MouseInputSource::mouse, onScreen(middle(component)), time_,
                                       {0.0F, way, false, smooth, false});
  }
  void key(int code, int keys = 0, juce::juce_wchar text = 0) {
    Keys::currentModifiers = Keys(keys);
    editor.getPeer()->handleKeyPress(juce::KeyPress(code, Keys(keys), text));
    pump();
  }
  void type(const juce::String& text) {
    for (auto character = text.getCharPointer(); !character.isEmpty();) {
      const juce::juce_wchar letter = character.getAndAdvance();
      key(static_cast<int>(letter), 0, letter);
    }
  }

  stemlane::StemlaneEditor editor;

 private:
  // Windows count the screen's pixels, components those of a plain screen.
  static juce::Point<float> onScreen(juce::Point<float> at) {
    return at * juce::Desktop::getInstance().getGlobalScaleFactor();
  }
  void move(int keys, int buttons) {
    Keys::currentModifiers = Keys(keys | buttons);
    time_ += 20;
    editor.getPeer()->handleMouseEvent(juce::MouseInputSource::mouse, onScreen(at_), Keys(keys | buttons),
                                       juce::MouseInputSource::defaultPressure,
                                       juce::MouseInputSource::defaultOrientation, time_);
  }

  juce::Point<float> at_;
  int button_ = 0;
  juce::int64 time_ = juce::Time::currentTimeMillis();
};
