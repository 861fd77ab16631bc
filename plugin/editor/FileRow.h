// SPDX-License-Identifier: GPL-3.0-or-later
// One recording of the queue: its name, how it stands, and its stems once they are there, to be heard and
// dragged out, one by one or all of them by the row itself.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>
#include <vector>

#include "editor/StemChip.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

/// Message thread only.
class FileRow final : public juce::Component, public juce::SettableTooltipClient {
 public:
  FileRow(StemlaneProcessor& processor, int index);

  void show(const FileQueue::Item& item);
  /// Shows where its stems play.
  void showPlayed();
  int heightFor(int width) const;

  void paint(juce::Graphics& g) override;
  void resized() override;
  void mouseDrag(const juce::MouseEvent& event) override;

 private:
  void press();
  void togglePlaying();
  void makeChips();
  bool isPlaying() const;
  int textHeight(int width) const;

  StemlaneProcessor& processor_;
  const int index_;
  FileQueue::Item item_;
  std::vector<std::unique_ptr<StemChip>> chips_;
  juce::TextButton button_;
  juce::TextButton play_{"Play"};
};

}  // namespace stemlane
