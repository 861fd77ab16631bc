// SPDX-License-Identifier: GPL-3.0-or-later
// What all sliders of the editor have in common: how a parameter is grasped, turned and reset.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

namespace stemlane {

/// Bound to its parameter for as long as it lives. Message thread only.
///
/// Mouse: dragging moves it from where it is, wherever it is grasped; with Shift, Ctrl or Cmd a tenth as
/// fast. The wheel moves it a step, with those keys a fine one. Double-click and Alt-click reset, the right
/// button opens the host's menu. Keyboard: arrows as the wheel, Page Up and Page Down, Home and End to its
/// ends, Delete resets.
class ParameterSlider : public juce::Slider {
 public:
  /// How far it goes, in the parameter's unit.
  struct Steps {
    double usual;
    double fine;
    double page;
  };

  ParameterSlider(SliderStyle style, TextEntryBoxPosition text, juce::AudioParameterFloat& parameter,
                  const juce::NormalisableRange<double>& range, const Steps& steps,
                  const juce::String& title);

  /// Back to the parameter's default, as one gesture.
  void reset();

  void mouseDown(const juce::MouseEvent&) override;
  void mouseDrag(const juce::MouseEvent&) override;
  void mouseUp(const juce::MouseEvent&) override { drag_.reset(); }
  void mouseDoubleClick(const juce::MouseEvent&) override;
  void mouseWheelMove(const juce::MouseEvent&, const juce::MouseWheelDetails&) override;
  bool keyPressed(const juce::KeyPress&) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }

 protected:
  juce::AudioParameterFloat& parameter() { return parameter_; }
  juce::ParameterAttachment& attachment() { return attachment_; }
  /// Ends a drag. A slider's last class calls it when it goes: only its own `stoppedDragging` tells the host.
  void letGo() { drag_.reset(); }
  /// Pixels from its lowest to its highest value.
  virtual double length() const = 0;

 private:
  void moveTo(double value) { setValue(value, juce::sendNotificationSync); }
  void step(double change);
  double stepFor(const juce::ModifierKeys& keys) const;

  juce::AudioParameterFloat& parameter_;
  const Steps steps_;
  juce::ParameterAttachment attachment_;
  std::unique_ptr<ScopedDragNotification> drag_;  ///< while it is held
  double dragPosition_ = 0.0;                     ///< where the hand is, 0 to 1, in fractions of a step too
  juce::Point<int> last_;
  float wheel_ = 0.0F;  ///< turned, and not yet a step
};

/// Opens the host's menu for a parameter at the mouse; false if the host has none.
bool showHostMenu(juce::Component& component, juce::AudioProcessorParameter& parameter);

}  // namespace stemlane
