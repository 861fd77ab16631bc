// SPDX-License-Identifier: GPL-3.0-or-later
// The editor: puts its parts in place and keeps them up to date. It polls atomics thirty times a second
// and never waits.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <array>
#include <memory>

#include "editor/InfoPanel.h"
#include "editor/MusicPicture.h"
#include "editor/NamePrompt.h"
#include "editor/QuickBar.h"
#include "editor/StatusLine.h"
#include "editor/StemStrip.h"
#include "editor/StemlaneLook.h"
#include "editor/TopBar.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

class StemlaneEditor final : public juce::AudioProcessorEditor,
                             public juce::FileDragAndDropTarget,
                             private juce::Timer {
 public:
  static constexpr int kFramesPerSecond = 30;
  static constexpr EditorSize kUsualSize{880, 640};

  explicit StemlaneEditor(StemlaneProcessor& owner);
  ~StemlaneEditor() override;

  void paint(juce::Graphics& g) override;
  void resized() override;
  bool keyPressed(const juce::KeyPress& key) override;
  /// Shows how things stand now; the timer calls it.
  void refresh();

  /// Songs are separated, weights are added, after a question.
  bool isInterestedInFileDrag(const juce::StringArray& files) override;
  void fileDragEnter(const juce::StringArray&, int, int) override { showDrop(true); }
  void fileDragExit(const juce::StringArray&) override { showDrop(false); }
  void filesDropped(const juce::StringArray& files, int x, int y) override;
  void paintOverChildren(juce::Graphics& g) override;

  void showModels();
  void showFiles();
  void showSettings(const juce::String& problem = {});
  void showAbout();
  void askForPresetName();
  /// Takes the open page away; it is gone with the next frame, as it may be in the middle of a click.
  void closePage();

 private:
  void timerCallback() override { refresh(); }
  void refreshStrips();
  void layOutStrips(juce::Rectangle<int> area);
  void showDrop(bool on);
  void showPage(std::unique_ptr<juce::Component> page);

  StemlaneProcessor& processor_;
  StemlaneLook look_;
  juce::TooltipWindow tooltips_{this, 600};
  FaderGang gang_;

  TopBar top_;
  QuickBar quick_;
  MusicPicture picture_;
  std::array<std::unique_ptr<StemStrip>, kNumStems> strips_;
  StemStrip output_;
  StatusLine status_;
  std::unique_ptr<juce::Component> page_;  ///< settings, about or the question for a name
  StemSet shownStems_{};
  bool dropping_ = false;  ///< files are held over it
  bool isOpen_ = false;    ///< sizes are the user's from now on
};

}  // namespace stemlane
