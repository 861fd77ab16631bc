// SPDX-License-Identifier: GPL-3.0-or-later
// The editor: a strip for every stem and the output, the model, the latency and the
// state of the engine. It polls atomics thirty times a second and never waits.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <array>
#include <memory>
#include <vector>

#include "editor/StemStrip.h"
#include "editor/StemlaneLook.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

class StemlaneEditor final : public juce::AudioProcessorEditor, private juce::Timer {
 public:
  explicit StemlaneEditor(StemlaneProcessor& owner);
  ~StemlaneEditor() override;

  void paint(juce::Graphics& g) override;
  void resized() override;
  /// Shows how things stand now; the timer calls it.
  void refresh();

 private:
  void timerCallback() override { refresh(); }
  void listModels();
  void showModel();
  void showEngine();

  StemlaneProcessor& processor_;
  StemlaneLook look_;
  juce::TooltipWindow tooltips_{this, 600};

  std::array<std::unique_ptr<StemStrip>, kNumStems> strips_;
  StemStrip output_;
  juce::ComboBox model_;
  juce::TextButton bypass_{"Bypass"};
  juce::ButtonParameterAttachment bypassAttachment_;
  juce::Label latency_;
  juce::Label engine_;

  std::vector<std::string> modelNames_;  ///< items of the menu, in order
  std::string shownModel_;
  juce::Colour lamp_ = colours::waiting;
};

}  // namespace stemlane
