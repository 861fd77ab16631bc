// SPDX-License-Identifier: GPL-3.0-or-later
// One quiet line on how the engine is: what it says, what it costs, and what can be done about it.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <memory>

#include "editor/Palette.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

/// All that is said, as text.
struct StatusTexts {
  juce::String state;    ///< "Ready", "Failed"
  juce::String says;     ///< the engine's own words, or what is heard in its place
  juce::String figures;  ///< latency, load, late chunks, rate
  bool operator==(const StatusTexts&) const = default;
};

StatusTexts statusTexts(StemlaneProcessor& processor);

class StatusLine final : public juce::Component {
 public:
  explicit StatusLine(StemlaneProcessor& processor);

  void refresh();
  /// Height that the texts need at a width; they wrap.
  int heightFor(int width) const;
  const StatusTexts& texts() const { return texts_; }
  /// Called when the height that is needed may have changed.
  std::function<void()> onChange;

  void paint(juce::Graphics& g) override;
  void resized() override;

 private:
  juce::TextLayout layoutFor(int width) const;

  StemlaneProcessor& processor_;
  StatusTexts texts_;
  juce::File python_;     ///< that can be linked
  juce::String problem_;  ///< of the last remedy
  juce::Colour lamp_ = colours::waiting;
  void showRemedy(StemlaneProcessor::Remedy remedy);
  void fix();
  void choosePython();

  std::unique_ptr<juce::FileChooser> chooser_;
  juce::TextButton copy_{"Copy status"};
  juce::TextButton fix_{"Try again"};
  juce::TextButton log_{"Show log"};  ///< where a failed engine has written one
};

}  // namespace stemlane
