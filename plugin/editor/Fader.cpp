// SPDX-License-Identifier: GPL-3.0-or-later
// See Fader.h.
#include "editor/Fader.h"

#include <cmath>

#include "editor/fader_law.h"
#include "editor/gain_display.h"

namespace stemlane {
namespace {

constexpr double kStepDb = 1.0;
constexpr double kFineStepDb = 0.1;
constexpr double kPageDb = 6.0;
constexpr double kFineDrag = 0.1;
// What a touchpad has to send for a step; a wheel sends more at once.
constexpr float kSmoothStep = 0.1F;

bool isFine(const juce::ModifierKeys& keys) {
  return keys.isShiftDown() || keys.isCtrlDown() || keys.isCommandDown();
}

juce::NormalisableRange<double> handRange() {
  return {kSilenceDb, kHighestDb, [](double, double, double position) { return faderGainAt(position); },
          [](double, double, double gainDb) { return faderPosition(gainDb); },
          [](double, double, double gainDb) {
            return static_cast<double>(faderRange().snapToLegalValue(static_cast<float>(gainDb)));
          }};
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

Fader::Fader(juce::AudioParameterFloat& parameter, FaderGang& gang, const juce::String& title)
    : Slider(LinearVertical, TextBoxBelow),
      parameter_(parameter),
      gang_(gang),
      attachment_(parameter, [this](float gainDb) { setValue(gainDb, juce::dontSendNotification); }) {
  setTitle(title);
  setNormalisableRange(handRange());
  setDoubleClickReturnValue(false, 0.0);
  setWantsKeyboardFocus(true);
  setMouseClickGrabsKeyboardFocus(true);
  textFromValueFunction = [](double gainDb) { return shownGain(static_cast<float>(gainDb)); };
  valueFromTextFunction = [this](const juce::String& text) {
    return static_cast<double>(faderValue(text, parameter_.get()));
  };
  attachment_.sendInitialUpdate();
  updateText();
  lookAndFeelChanged();
}

void Fader::moveTo(double gainDb) {
  setValue(gainDb, juce::sendNotificationSync);
}

void Fader::step(double changeDb) {
  const ScopedDragNotification gesture(*this);
  moveTo(getValue() + changeDb);
}

void Fader::reset() {
  const ScopedDragNotification gesture(*this);
  const juce::AudioProcessorParameter& parameter = parameter_;
  moveTo(parameter_.convertFrom0to1(parameter.getDefaultValue()));
}

void Fader::mouseDown(const juce::MouseEvent& event) {
  if (!isEnabled() || drag_ != nullptr) return;
  if (event.mods.isPopupMenu()) {
    showHostMenu(*this, parameter_);
    return;
  }
  if (event.mods.isAltDown()) return reset();
  drag_ = std::make_unique<ScopedDragNotification>(*this);
  dragPosition_ = faderPosition(getValue());
  lastY_ = event.y;
}

void Fader::mouseDrag(const juce::MouseEvent& event) {
  if (drag_ == nullptr) return;
  const double length = getPositionOfValue(kSilenceDb) - getPositionOfValue(kHighestDb);
  const double way = (lastY_ - event.y) / length;
  lastY_ = event.y;
  dragPosition_ = juce::jlimit(0.0, 1.0, dragPosition_ + way * (isFine(event.mods) ? kFineDrag : 1.0));
  moveTo(faderGainAt(dragPosition_));
}

void Fader::mouseUp(const juce::MouseEvent&) {
  drag_.reset();
}

void Fader::mouseDoubleClick(const juce::MouseEvent& event) {
  drag_.reset();
  if (isEnabled() && !event.mods.isPopupMenu()) reset();
}

void Fader::mouseWheelMove(const juce::MouseEvent& event, const juce::MouseWheelDetails& wheel) {
  if (!isEnabled() || drag_ != nullptr || wheel.isInertial) return;
  // Some systems turn the wheel sideways while Shift is held.
  float way = std::abs(wheel.deltaY) >= std::abs(wheel.deltaX) ? wheel.deltaY : -wheel.deltaX;
  if (wheel.isReversed) way = -way;
  int steps = way > 0.0F ? 1 : way < 0.0F ? -1 : 0;
  if (wheel.isSmooth) {
    wheel_ += way;
    steps = static_cast<int>(wheel_ / kSmoothStep);
    wheel_ -= static_cast<float>(steps) * kSmoothStep;
  }
  if (steps != 0) step(steps * (isFine(event.mods) ? kFineStepDb : kStepDb));
}

bool Fader::keyPressed(const juce::KeyPress& key) {
  const double step_db = isFine(key.getModifiers()) ? kFineStepDb : kStepDb;
  const int code = key.getKeyCode();
  if (code == juce::KeyPress::upKey || code == juce::KeyPress::rightKey)
    step(step_db);
  else if (code == juce::KeyPress::downKey || code == juce::KeyPress::leftKey)
    step(-step_db);
  else if (code == juce::KeyPress::pageUpKey)
    step(kPageDb);
  else if (code == juce::KeyPress::pageDownKey)
    step(-kPageDb);
  else if (code == juce::KeyPress::homeKey)
    step(kHighestDb - kSilenceDb);
  else if (code == juce::KeyPress::endKey)
    step(kSilenceDb - kHighestDb);
  else if (code == juce::KeyPress::deleteKey || code == juce::KeyPress::backspaceKey)
    reset();
  else if (code == juce::KeyPress::returnKey)
    showTextBox();
  else
    return false;
  return true;
}

// Slider makes its text box anew. Tab goes from fader to fader, and Return types into one.
void Fader::lookAndFeelChanged() {
  Slider::lookAndFeelChanged();
  for (auto* child : getChildren()) {
    child->setTitle(getTitle() + " as text");
    child->setWantsKeyboardFocus(false);
  }
}

void Fader::focusGained(FocusChangeType) {
  repaint();
}

void Fader::focusLost(FocusChangeType) {
  repaint();
}

}  // namespace stemlane
