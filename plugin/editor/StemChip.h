// SPDX-License-Identifier: GPL-3.0-or-later
// A stem that has become a file: seen, muted with a click, and dragged into the DAW's timeline or a file
// manager.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <memory>

#include "processor/FileQueue.h"

namespace stemlane {

/// Message thread only.
class StemChip final : public juce::Component, public juce::SettableTooltipClient {
 public:
  static constexpr int kHeight = 46;

  explicit StemChip(const FileQueue::Stem& stem);

  const juce::File& file() const { return stem_.file; }
  bool isMuted() const { return isMuted_; }
  /// A click, Space or Return has muted it, or taken that back.
  std::function<void()> onMute;
  /// Where it plays, 0 to 1; below 0: it does not.
  void showPlayed(double share);

  void paint(juce::Graphics& g) override;
  void mouseEnter(const juce::MouseEvent&) override { repaint(); }
  void mouseExit(const juce::MouseEvent&) override { repaint(); }
  void mouseDrag(const juce::MouseEvent& event) override;
  void mouseUp(const juce::MouseEvent& event) override;
  bool keyPressed(const juce::KeyPress& key) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }

 private:
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;
  void drawWaveform(juce::Graphics& g, juce::Rectangle<int> area) const;
  void toggle();

  const FileQueue::Stem stem_;
  juce::Colour colour_;
  double played_ = -1.0;
  bool isMuted_ = false;
};

}  // namespace stemlane
