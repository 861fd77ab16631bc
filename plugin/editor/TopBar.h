// SPDX-License-Identifier: GPL-3.0-or-later
// The head of the editor: name, model, presets, A and B, undo and redo, the menu.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>

#include "editor/ModelBox.h"
#include "processor/PluginProcessor.h"
#include "processor/Presets.h"

namespace stemlane {

class TopBar final : public juce::Component {
 public:
  explicit TopBar(StemlaneProcessor& processor);

  void refresh();
  /// What the menus ask the editor for.
  std::function<void()> onSavePreset, onModels, onFiles, onSettings, onAbout;

  void paint(juce::Graphics& g) override;
  void resized() override;

 private:
  void addButton(juce::TextButton& button, const juce::String& title, const juce::String& tip,
                 std::function<void()> onClick);
  void showPresets();
  void showMenu();
  juce::String presetInForce() const;

  StemlaneProcessor& processor_;
  ModelBox model_;
  juce::TextButton presets_{"Presets"};
  juce::TextButton a_{"A"}, b_{"B"}, undo_{"Undo"}, redo_{"Redo"}, menu_{"Menu"};
  std::vector<Preset> own_;  ///< the user's, as last read
};

}  // namespace stemlane
