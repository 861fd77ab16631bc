// SPDX-License-Identifier: GPL-3.0-or-later
// The menu of installed models, each with its stems and its latency at the current rate.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>
#include <string>
#include <vector>

#include "processor/PluginProcessor.h"

namespace stemlane {

class ModelBox final : public juce::ComboBox, private juce::ChangeListener {
 public:
  explicit ModelBox(StemlaneProcessor& processor);
  ~ModelBox() override;

  /// Shows the model that has been asked for, installed or not.
  void refresh();
  /// Looks anew at what is installed: models come while the editor is open.
  void showPopup() override;
  /// The last item has been chosen.
  std::function<void()> onMore;
  /// "4 stems, 59 ms", for the menu.
  static juce::String factsOf(const ModelDescriptor& model, double sampleRate);
  /// "12 % of a core"; empty if nobody knows.
  static juce::String loadText(double load);

 private:
  void list();
  juce::String belowOf(const std::string& model) const;
  // What the menu says has come while it is open.
  void changeListenerCallback(juce::ChangeBroadcaster*) override;

  StemlaneProcessor& processor_;
  std::vector<std::string> names_;  ///< items of the menu, in order
  std::string shown_;
  bool asked_ = false;  ///< the shop, what it knows of the models
};

}  // namespace stemlane
