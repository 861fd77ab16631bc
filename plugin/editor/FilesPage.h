// SPDX-License-Identifier: GPL-3.0-or-later
// The page "Files": recordings that are separated in the background, and their stems, to be dragged out.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "editor/CaptureButton.h"
#include "editor/FileRow.h"
#include "editor/Page.h"
#include "processor/PluginFiles.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

/// Message thread only.
class FilesPage final : public ListPage, private juce::ChangeListener, private juce::Timer {
 public:
  explicit FilesPage(StemlaneProcessor& processor);
  ~FilesPage() override;

  /// Puts recordings into the queue.
  void drop(const juce::StringArray& paths);
  void paintOverChildren(juce::Graphics& g) override;

 private:
  void chooseFiles();
  void chooseFolder();
  void showFolderMenu();
  void timerCallback() override;
  void stopOrphan();
  void changeListenerCallback(juce::ChangeBroadcaster*) override { refresh(); }
  void refresh();
  void showPaused();
  void listModels();
  juce::String footerText() const;
  void layOut() override;

  StemlaneProcessor& processor_;
  FileQueue& queue_;
  const bool ownPython_ = hasOwnPython();
  std::vector<std::unique_ptr<FileRow>> rows_;
  std::vector<std::string> modelNames_;
  juce::ComboBox model_, format_;
  juce::TextButton add_{juce::String::fromUTF8("Add files\u2026")};
  juce::TextButton folder_{"Folder"};
  juce::TextButton pause_{"Pause"}, clear_{"Clear list"};
  CaptureButton capture_;
  std::unique_ptr<juce::FileChooser> chooser_;
};

}  // namespace stemlane
