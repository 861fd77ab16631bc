// SPDX-License-Identifier: GPL-3.0-or-later
// See StemChip.h.
#include "editor/StemChip.h"

#include <algorithm>

#include "core/stems.h"
#include "editor/StemlaneLook.h"
#include "editor/drag_out.h"

namespace stemlane {
namespace {

constexpr int kNameHeight = 17;

}  // namespace

StemChip::StemChip(const FileQueue::Stem& stem) : stem_(stem), colour_(colours::faint) {
  setTitle(stem.name + " of " + stem.file.getParentDirectory().getFileName());
  setTooltip("Drag it into the DAW or a folder; click to mute it here. " + stem.file.getFullPathName());
  setMouseCursor(juce::MouseCursor::DraggingHandCursor);
  setWantsKeyboardFocus(true);
  if (const int number = stem_number(stem.name.toStdString()); number >= 0) colour_ = colours::stem(number);
}

void StemChip::showPlayed(double share) {
  if (share == played_) return;
  played_ = share;
  repaint();
}

void StemChip::paint(juce::Graphics& g) {
  const auto area = getLocalBounds().toFloat().reduced(1.0F);
  g.setColour(isMouseOver() ? colours::raised : colours::groove);
  g.fillRoundedRectangle(area, 4.0F);
  g.setColour(isMuted_ ? colours::outline : colour_);
  g.fillRoundedRectangle(area.withWidth(4.0F), 2.0F);
  auto inside = getLocalBounds().reduced(9, 3);
  const auto top = inside.removeFromTop(kNameHeight);
  drawWaveform(g, inside);
  if (played_ >= 0.0) {
    g.setColour(colours::text);
    g.fillRect(inside.getX() + juce::roundToInt(played_ * (inside.getWidth() - 1)), inside.getY(), 1,
               inside.getHeight());
  }
  g.setColour(isMuted_ ? colours::faint : colours::text);
  g.setFont(StemlaneLook::font(13.0F));
  g.drawText(stem_.name + (isMuted_ ? ", muted" : ""), top, juce::Justification::centredLeft);
  drawFocusRing(g, *this, 4.0F);
}

// A line where there is silence, or where the command has told nothing.
void StemChip::drawWaveform(juce::Graphics& g, juce::Rectangle<int> area) const {
  const auto whole = area.toFloat();
  g.fillRect(whole.withSizeKeepingCentre(whole.getWidth(), 1.0F));
  const float width = whole.getWidth() / static_cast<float>(std::max<std::size_t>(stem_.waveform.size(), 1));
  juce::RectangleList<float> columns;
  float left = whole.getX();
  for (const int percent : stem_.waveform) {
    const float height = whole.getHeight() * static_cast<float>(percent) / 100.0F;
    columns.addWithoutMerging({left, whole.getCentreY() - 0.5F * height, width, height});
    left += width;
  }
  g.fillRectList(columns);
}

void StemChip::mouseDrag(const juce::MouseEvent& event) {
  dragOut({stem_.file}, *this, event);
}

void StemChip::mouseUp(const juce::MouseEvent& event) {
  if (!isDrag(event) && event.mods.isLeftButtonDown()) toggle();
}

bool StemChip::keyPressed(const juce::KeyPress& key) {
  if (key != juce::KeyPress::spaceKey && key != juce::KeyPress::returnKey) return false;
  toggle();
  return true;
}

void StemChip::toggle() {
  isMuted_ = !isMuted_;
  if (auto* handler = getAccessibilityHandler())
    handler->notifyAccessibilityEvent(juce::AccessibilityEvent::valueChanged);
  repaint();
  if (onMute) onMute();
}

std::unique_ptr<juce::AccessibilityHandler> StemChip::createAccessibilityHandler() {
  struct Handler final : juce::AccessibilityHandler {
    explicit Handler(StemChip& owner)
        : AccessibilityHandler(
              owner, juce::AccessibilityRole::toggleButton,
              juce::AccessibilityActions()
                  .addAction(juce::AccessibilityActionType::press, [&owner] { owner.toggle(); })
                  .addAction(juce::AccessibilityActionType::toggle, [&owner] { owner.toggle(); })),
          chip(owner) {}
    juce::AccessibleState getCurrentState() const override {
      const auto state = AccessibilityHandler::getCurrentState().withCheckable();
      return chip.isMuted() ? state : state.withChecked();
    }
    StemChip& chip;
  };
  return std::make_unique<Handler>(*this);
}

}  // namespace stemlane
