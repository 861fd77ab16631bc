// SPDX-License-Identifier: GPL-3.0-or-later
// See FocusBar.h.
#include "editor/FocusBar.h"

#include <algorithm>
#include <cmath>

#include "core/contract.h"
#include "editor/Fader.h"
#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr double kStep = 2.0;
constexpr double kFineStep = 1.0;
constexpr double kPage = 10.0;
constexpr double kFineDrag = 0.1;
constexpr int kWidthOfName = 84;  // what the name and the value take side by side

bool isFine(const juce::ModifierKeys& keys) {
  return keys.isShiftDown() || keys.isCtrlDown() || keys.isCommandDown();
}

}  // namespace

FocusBar::FocusBar(juce::AudioParameterFloat& parameter, juce::Colour colour, const juce::String& title)
    : Slider(LinearBar, NoTextBox),
      parameter_(parameter),
      colour_(colour),
      attachment_(parameter, [this](float percent) { setValue(percent, juce::dontSendNotification); }) {
  setTitle(title);
  setRange(0.0, contract::kHighestFocus, 1.0);
  setDoubleClickReturnValue(false, 0.0);
  setTextValueSuffix(" %");
  setWantsKeyboardFocus(true);
  setMouseClickGrabsKeyboardFocus(true);
  attachment_.sendInitialUpdate();
}

void FocusBar::moveTo(double percent) {
  setValue(percent, juce::sendNotificationSync);
}

void FocusBar::reset() {
  const ScopedDragNotification gesture(*this);
  moveTo(contract::kNeutralFocus);
}

void FocusBar::paint(juce::Graphics& g) {
  const auto area = getLocalBounds().toFloat().reduced(0.5F);
  g.setColour(colours::groove);
  g.fillRoundedRectangle(area, 4.0F);
  const auto at = [&](double percent) {
    return area.getX() + area.getWidth() * static_cast<float>(percent / contract::kHighestFocus);
  };
  const float middle = at(contract::kNeutralFocus);
  if (isEnabled()) {
    const float end = at(getValue());
    g.setColour(colour_.withAlpha(0.45F));
    g.fillRect(juce::Rectangle<float>::leftTopRightBottom(std::min(middle, end), area.getY() + 1.0F,
                                                          std::max(middle, end), area.getBottom() - 1.0F));
  }
  g.setColour(hasKeyboardFocus(false) ? colours::focus : colours::outline);
  g.drawRoundedRectangle(area, 4.0F, 1.0F);
  g.fillRect(middle - 0.5F, area.getY(), 1.0F, 4.0F);
  g.setColour(isEnabled() ? colours::text : colours::faint);
  g.setFont(StemlaneLook::font(12.0F));
  const auto text = getLocalBounds().reduced(6, 0);
  const juce::String value = isEnabled() ? juce::String(juce::roundToInt(getValue())) : juce::String("-");
  if (getWidth() < kWidthOfName) {
    g.drawText(value, text, juce::Justification::centred, false);
    return;
  }
  g.drawText("Focus", text, juce::Justification::centredLeft, false);
  g.drawText(value, text, juce::Justification::centredRight, false);
}

void FocusBar::mouseDown(const juce::MouseEvent& event) {
  if (!isEnabled() || drag_ != nullptr) return;
  if (event.mods.isPopupMenu()) {
    showHostMenu(*this, parameter_);
    return;
  }
  if (event.mods.isAltDown()) return reset();
  drag_ = std::make_unique<ScopedDragNotification>(*this);
  dragValue_ = getValue();
  lastX_ = event.x;
}

void FocusBar::mouseDrag(const juce::MouseEvent& event) {
  if (drag_ == nullptr) return;
  const double way = contract::kHighestFocus * (event.x - lastX_) / std::max(1, getWidth());
  lastX_ = event.x;
  dragValue_ = juce::jlimit(0.0, static_cast<double>(contract::kHighestFocus),
                            dragValue_ + way * (isFine(event.mods) ? kFineDrag : 1.0));
  moveTo(dragValue_);
}

void FocusBar::mouseUp(const juce::MouseEvent&) {
  drag_.reset();
}

void FocusBar::mouseDoubleClick(const juce::MouseEvent& event) {
  drag_.reset();
  if (isEnabled() && !event.mods.isPopupMenu()) reset();
}

void FocusBar::mouseWheelMove(const juce::MouseEvent& event, const juce::MouseWheelDetails& wheel) {
  if (!isEnabled() || drag_ != nullptr || wheel.isInertial) return;
  float way = std::abs(wheel.deltaY) >= std::abs(wheel.deltaX) ? wheel.deltaY : -wheel.deltaX;
  if (wheel.isReversed) way = -way;
  if (way == 0.0F) return;
  const ScopedDragNotification gesture(*this);
  moveTo(getValue() + (way > 0.0F ? 1.0 : -1.0) * (isFine(event.mods) ? kFineStep : kStep));
}

bool FocusBar::keyPressed(const juce::KeyPress& key) {
  const double step = isFine(key.getModifiers()) ? kFineStep : kStep;
  const int code = key.getKeyCode();
  double change = 0.0;
  if (code == juce::KeyPress::upKey || code == juce::KeyPress::rightKey)
    change = step;
  else if (code == juce::KeyPress::downKey || code == juce::KeyPress::leftKey)
    change = -step;
  else if (code == juce::KeyPress::pageUpKey)
    change = kPage;
  else if (code == juce::KeyPress::pageDownKey)
    change = -kPage;
  else if (code == juce::KeyPress::homeKey)
    change = contract::kHighestFocus;
  else if (code == juce::KeyPress::endKey)
    change = -contract::kHighestFocus;
  else if (code == juce::KeyPress::deleteKey || code == juce::KeyPress::backspaceKey)
    change = contract::kNeutralFocus - getValue();
  else
    return false;
  const ScopedDragNotification gesture(*this);
  moveTo(getValue() + change);
  return true;
}

}  // namespace stemlane
