// SPDX-License-Identifier: GPL-3.0-or-later
// The page "Models": what is installed, with what each costs and gives, and what can be added.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "editor/Page.h"
#include "processor/PluginProcessor.h"

namespace stemlane {

/// Message thread only.
class ModelsPage final : public ListPage, private juce::ChangeListener {
 public:
  explicit ModelsPage(StemlaneProcessor& processor);
  ~ModelsPage() override;

  /// Shows what must be accepted before a model is added: a source or the path of a file of weights.
  void ask(const ShopEntry& wanted);
  void paint(juce::Graphics& g) override;

 private:
  class Row;
  /// What a click on a row does.
  void choose(const ShopEntry& entry);
  void chooseFile();
  void accept();
  void refuse();
  void changeListenerCallback(juce::ChangeBroadcaster*) override { refresh(); }
  void refresh();
  void listRows();
  juce::String footerText() const;
  juce::String factsOf(const ShopEntry& entry) const;
  void layOut() override;

  StemlaneProcessor& processor_;
  ModelShop& shop_;
  std::vector<std::unique_ptr<Row>> rows_;
  juce::String listed_;  ///< what the rows have been made of
  std::optional<ShopEntry> asked_;
  juce::TextButton own_{juce::String::fromUTF8("Your own file\u2026")};
  juce::TextButton accept_{"Accept and add"}, cancel_{"Cancel"};
  std::unique_ptr<juce::FileChooser> chooser_;
};

}  // namespace stemlane
