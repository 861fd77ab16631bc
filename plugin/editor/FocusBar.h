// SPDX-License-Identifier: GPL-3.0-or-later
// A stem's focus: a narrow bar that is filled from its middle, which changes nothing.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

namespace stemlane {

/// Bound to its parameter for as long as it lives. Message thread only.
///
/// Dragging moves it from where it is. A step of the wheel is 2 %; with Shift, Ctrl or Cmd it is half of
/// that, and dragging a tenth as fast. Double-click and Alt-click reset, the right button opens the host's
/// menu. Keyboard: arrows as the wheel, Page Up and Page Down 10 %, Home 100, End 0, Delete resets.
class FocusBar final : public juce::Slider {
 public:
  FocusBar(juce::AudioParameterFloat& parameter, juce::Colour colour, const juce::String& title);

  void paint(juce::Graphics& g) override;
  void mouseDown(const juce::MouseEvent&) override;
  void mouseDrag(const juce::MouseEvent&) override;
  void mouseUp(const juce::MouseEvent&) override;
  void mouseDoubleClick(const juce::MouseEvent&) override;
  void mouseWheelMove(const juce::MouseEvent&, const juce::MouseWheelDetails&) override;
  bool keyPressed(const juce::KeyPress&) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }
  void enablementChanged() override { repaint(); }

  /// From Slider: what a hand or a screen reader sets.
  void startedDragging() override { attachment_.beginGesture(); }
  void valueChanged() override { attachment_.setValueAsPartOfGesture(static_cast<float>(getValue())); }
  void stoppedDragging() override { attachment_.endGesture(); }

 private:
  void moveTo(double percent);
  void reset();

  juce::AudioParameterFloat& parameter_;
  const juce::Colour colour_;
  juce::ParameterAttachment attachment_;
  std::unique_ptr<ScopedDragNotification> drag_;  ///< while it is held
  double dragValue_ = 0.0;                        ///< where the hand is, in fractions of a per cent too
  int lastX_ = 0;
};

}  // namespace stemlane
