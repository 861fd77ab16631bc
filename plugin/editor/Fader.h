// SPDX-License-Identifier: GPL-3.0-or-later
// A fader: how it is grasped, turned, typed into and reset. How it looks is StemlaneLook's.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

#include "editor/FaderGang.h"

namespace stemlane {

/// Bound to its parameter for as long as it lives. Message thread only.
///
/// Mouse: dragging moves it from where it is, wherever it is grasped; with Shift, Ctrl or Cmd a tenth
/// as fast. A step of the wheel is 1 dB, with those keys 0.1 dB. Double-click and Alt-click reset, the
/// right button opens the host's menu. Keyboard: arrows as the wheel, Page Up and Page Down 6 dB,
/// Home +12 dB, End silence, Delete resets, Return types a value.
class Fader final : public juce::Slider {
 public:
  Fader(juce::AudioParameterFloat& parameter, FaderGang& gang, const juce::String& title);

  /// Back to the parameter's default, as one gesture.
  void reset();

  void mouseDown(const juce::MouseEvent&) override;
  void mouseDrag(const juce::MouseEvent&) override;
  void mouseUp(const juce::MouseEvent&) override;
  void mouseDoubleClick(const juce::MouseEvent&) override;
  void mouseWheelMove(const juce::MouseEvent&, const juce::MouseWheelDetails&) override;
  bool keyPressed(const juce::KeyPress&) override;
  void lookAndFeelChanged() override;
  void focusGained(FocusChangeType cause) override;
  void focusLost(FocusChangeType cause) override;

  /// From Slider: what a text typed or a screen reader sets.
  void startedDragging() override { gang_.begin(parameter_); }
  void valueChanged() override { gang_.move(static_cast<float>(getValue())); }
  void stoppedDragging() override { gang_.end(); }

 private:
  void moveTo(double gainDb);
  void step(double changeDb);

  juce::AudioParameterFloat& parameter_;
  FaderGang& gang_;
  juce::ParameterAttachment attachment_;
  std::unique_ptr<ScopedDragNotification> drag_;  ///< while it is held
  double dragPosition_ = 0.0;                     ///< where the hand is, in fractions of a step too
  int lastY_ = 0;
  float wheel_ = 0.0F;  ///< turned, and not yet a step
};

/// Opens the host's menu for a parameter at the mouse; false if the host has none.
bool showHostMenu(juce::Component& component, juce::AudioProcessorParameter& parameter);

}  // namespace stemlane
