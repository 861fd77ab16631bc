// SPDX-License-Identifier: GPL-3.0-or-later
// See ParameterSlider.h.
#include "editor/ParameterSlider.h"

#include <cmath>

namespace stemlane {
namespace {

constexpr double kFineDrag = 0.1;
// What a touchpad has to send for a step; a wheel sends more at once.
constexpr float kSmoothStep = 0.1F;

bool isFine(const juce::ModifierKeys& keys) {
  return keys.isShiftDown() || keys.isCtrlDown() || keys.isCommandDown();
}

}  // namespace

bool showHostMenu(juce::Component& component, juce::AudioProcessorParameter& parameter) {
  auto* editor = component.findParentComponentOfClass<juce::AudioProcessorEditor>();
  auto* context = editor != nullptr ? editor->getHostContext() : nullptr;
  if (context == nullptr) return false;
  const auto menu = context->getContextMenuForParameter(&parameter);
  if (menu == nullptr) return false;
  menu->showNativeMenu(editor->getMouseXYRelative());
  return true;
}

ParameterSlider::ParameterSlider(SliderStyle style, TextEntryBoxPosition text,
                                 juce::AudioParameterFloat& parameter,
                                 const juce::NormalisableRange<double>& range, const Steps& steps,
                                 const juce::String& title)
    : Slider(style, text),
      parameter_(parameter),
      steps_(steps),
      attachment_(parameter, [this](float value) { setValue(value, juce::dontSendNotification); }) {
  setTitle(title);
  setNormalisableRange(range);
  setDoubleClickReturnValue(false, 0.0);
  setWantsKeyboardFocus(true);
  setMouseClickGrabsKeyboardFocus(true);
  attachment_.sendInitialUpdate();
}

double ParameterSlider::stepFor(const juce::ModifierKeys& keys) const {
  return isFine(keys) ? steps_.fine : steps_.usual;
}

void ParameterSlider::step(double change) {
  const ScopedDragNotification gesture(*this);
  moveTo(getValue() + change);
}

void ParameterSlider::reset() {
  const ScopedDragNotification gesture(*this);
  const juce::AudioProcessorParameter& parameter = parameter_;
  moveTo(parameter_.convertFrom0to1(parameter.getDefaultValue()));
}

void ParameterSlider::mouseDown(const juce::MouseEvent& event) {
  if (!isEnabled() || drag_ != nullptr) return;
  if (event.mods.isPopupMenu()) {
    showHostMenu(*this, parameter_);
    return;
  }
  if (event.mods.isAltDown()) return reset();
  drag_ = std::make_unique<ScopedDragNotification>(*this);
  dragPosition_ = valueToProportionOfLength(getValue());
  last_ = event.getPosition();
}

void ParameterSlider::mouseDrag(const juce::MouseEvent& event) {
  if (drag_ == nullptr) return;
  const auto moved = event.getPosition() - last_;
  const double way = (isHorizontal() ? moved.x : -moved.y) / length();
  last_ = event.getPosition();
  dragPosition_ = juce::jlimit(0.0, 1.0, dragPosition_ + way * (isFine(event.mods) ? kFineDrag : 1.0));
  moveTo(proportionOfLengthToValue(dragPosition_));
}

void ParameterSlider::mouseDoubleClick(const juce::MouseEvent& event) {
  drag_.reset();
  if (isEnabled() && !event.mods.isPopupMenu()) reset();
}

void ParameterSlider::mouseWheelMove(const juce::MouseEvent& event, const juce::MouseWheelDetails& wheel) {
  if (!isEnabled() || drag_ != nullptr || wheel.isInertial) return;
  // Some systems turn the wheel sideways while Shift is held.
  float way = std::abs(wheel.deltaY) >= std::abs(wheel.deltaX) ? wheel.deltaY : -wheel.deltaX;
  if (wheel.isReversed) way = -way;
  int count = way > 0.0F ? 1 : way < 0.0F ? -1 : 0;
  if (wheel.isSmooth) {
    wheel_ += way;
    count = static_cast<int>(wheel_ / kSmoothStep);
    wheel_ -= static_cast<float>(count) * kSmoothStep;
  }
  if (count != 0) step(count * stepFor(event.mods));
}

bool ParameterSlider::keyPressed(const juce::KeyPress& key) {
  const double change = stepFor(key.getModifiers());
  const int code = key.getKeyCode();
  if (code == juce::KeyPress::upKey || code == juce::KeyPress::rightKey)
    step(change);
  else if (code == juce::KeyPress::downKey || code == juce::KeyPress::leftKey)
    step(-change);
  else if (code == juce::KeyPress::pageUpKey)
    step(steps_.page);
  else if (code == juce::KeyPress::pageDownKey)
    step(-steps_.page);
  else if (code == juce::KeyPress::homeKey)
    step(getMaximum() - getMinimum());
  else if (code == juce::KeyPress::endKey)
    step(getMinimum() - getMaximum());
  else if (code == juce::KeyPress::deleteKey || code == juce::KeyPress::backspaceKey)
    reset();
  else
    return false;
  return true;
}

}  // namespace stemlane
