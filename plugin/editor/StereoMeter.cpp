// SPDX-License-Identifier: GPL-3.0-or-later
// See StereoMeter.h.
#include "editor/StereoMeter.h"

#include <algorithm>

#include "editor/Palette.h"
#include "editor/fader_law.h"
#include "editor/gain_display.h"

namespace stemlane {
namespace {

constexpr float kFallDbPerSecond = 24.0F;
constexpr float kHoldSeconds = 1.5F;

/// What a screen reader reads: the highest level.
class LevelValue final : public juce::AccessibilityTextValueInterface {
 public:
  explicit LevelValue(const StereoMeter& meter) : meter_(meter) {}
  bool isReadOnly() const override { return true; }
  juce::String getCurrentValueAsString() const override { return shownLevel(meter_.highestDb()) + " dB"; }
  void setValueAsString(const juce::String&) override {}

 private:
  const StereoMeter& meter_;
};

}  // namespace

StereoMeter::StereoMeter(const juce::String& title, juce::Colour colour)
    : colour_(colour), highestDb_(kSilenceDb) {
  setTitle(title);
  setTooltip("Peaks after the fader. Click to forget the highest level and the clip mark");
  bars_.fill({kSilenceDb, kSilenceDb, 0.0F});
}

void StereoMeter::show(const std::array<float, 2>& peaks, int numChannels, float seconds) {
  const std::array<Bar, 2> before = bars_;
  bool changed = numChannels != numChannels_;
  numChannels_ = numChannels;
  for (std::size_t c = 0; c < bars_.size(); ++c) {
    Bar& bar = bars_[c];
    const float peakDb = std::min(40.0F, juce::Decibels::gainToDecibels(peaks[c], kSilenceDb));
    const float fallDb = kFallDbPerSecond * seconds;
    bar.levelDb = std::max({peakDb, bar.levelDb - fallDb, kSilenceDb});
    bar.heldSeconds += seconds;
    if (peakDb >= bar.peakDb) {
      bar.peakDb = peakDb;
      bar.heldSeconds = 0.0F;
    } else if (bar.heldSeconds > kHoldSeconds) {
      bar.peakDb = std::max({bar.levelDb, bar.peakDb - fallDb, kSilenceDb});
    }
    changed = changed || bar.levelDb != before[c].levelDb || bar.peakDb != before[c].peakDb;
    if (peakDb > highestDb_) {
      highestDb_ = peakDb;
      if (onHighest) onHighest();
    }
  }
  if (changed) repaint();
}

void StereoMeter::setHeard(bool heard) {
  if (heard == heard_) return;
  heard_ = heard;
  repaint();
}

void StereoMeter::forget() {
  highestDb_ = kSilenceDb;
  if (onHighest) onHighest();
  repaint();
}

void StereoMeter::paint(juce::Graphics& g) {
  const juce::Rectangle<float> area = getLocalBounds().toFloat();
  const float width = numChannels_ == 1 ? area.getWidth() : (area.getWidth() - 1.0F) / 2.0F;
  for (int channel = 0; channel < numChannels_; ++channel) {
    const float x = static_cast<float>(channel) * (width + 1.0F);
    paintBar(g, area.withX(area.getX() + x).withWidth(width), bars_[static_cast<std::size_t>(channel)]);
  }
}

void StereoMeter::paintBar(juce::Graphics& g, juce::Rectangle<float> area, const Bar& bar) const {
  const auto yOf = [&](float levelDb) {
    return area.getBottom() - area.getHeight() * static_cast<float>(faderPosition(levelDb));
  };
  g.setColour(colours::groove);
  g.fillRect(area);
  const juce::Colour colour = heard_ ? colour_ : colours::outline;
  g.setColour(colour);
  g.fillRect(area.withTop(yOf(std::min(bar.levelDb, 0.0F))));
  if (bar.levelDb > 0.0F) {
    g.setColour(colours::bad);
    g.fillRect(area.withTop(yOf(bar.levelDb)).withBottom(yOf(0.0F)));
  }
  if (bar.peakDb > kSilenceDb) {
    g.setColour(bar.peakDb > 0.0F ? colours::bad : colour.brighter(0.5F));
    g.fillRect(area.withY(yOf(bar.peakDb)).withHeight(2.0F));
  }
  if (hasClipped()) {
    g.setColour(colours::bad);
    g.fillRect(area.withHeight(4.0F));
  }
}

std::unique_ptr<juce::AccessibilityHandler> StereoMeter::createAccessibilityHandler() {
  return std::make_unique<juce::AccessibilityHandler>(
      *this, juce::AccessibilityRole::progressBar, juce::AccessibilityActions{},
      juce::AccessibilityHandler::Interfaces{std::make_unique<LevelValue>(*this)});
}

}  // namespace stemlane
