// SPDX-License-Identifier: GPL-3.0-or-later
// A preset for one touch, with a stripe that shows what will be heard: a piece for each of the model's stems,
// in its colour, or dark if the preset silences it.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <algorithm>

#include "core/stems.h"
#include "editor/Palette.h"
#include "processor/effective_gains.h"

namespace stemlane {

/// Message thread only.
class PresetButton final : public juce::TextButton {
 public:
  void setStems(const StemSet& present, const StemSet& heard) {
    if (present == present_ && heard == heard_) return;
    present_ = present;
    heard_ = heard;
    repaint();
  }
  /// Where the piece of a stem is drawn; empty if the model lacks it.
  juce::Rectangle<int> pieceOf(std::size_t stem) const {
    const auto count = static_cast<int>(std::count(present_.begin(), present_.end(), true));
    if (!present_[stem] || count == 0) return {};
    const auto place = static_cast<int>(std::count(present_.begin(), present_.begin() + stem, true));
    const int width = std::min(12, (getWidth() - 16) / count - kGap);
    const int left = (getWidth() - count * (width + kGap) + kGap) / 2;
    return {left + place * (width + kGap), getHeight() - 6, width, 3};
  }

  void paintButton(juce::Graphics& g, bool over, bool down) override {
    TextButton::paintButton(g, over, down);
    for (std::size_t stem = 0; stem < kNumStems; ++stem) {
      const auto piece = pieceOf(stem);
      if (piece.isEmpty()) continue;
      g.setColour(colours::groove);
      if (getToggleState()) g.fillRect(piece.expanded(1));
      g.setColour(heard_[stem] ? colours::stem(static_cast<int>(stem)) : colours::groove);
      if (!isEnabled()) g.setOpacity(0.35F);
      g.fillRect(piece);
    }
  }

 private:
  static constexpr int kGap = 3;

  StemSet present_{};
  StemSet heard_{};
};

}  // namespace stemlane
