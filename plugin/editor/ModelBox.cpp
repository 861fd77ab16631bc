// SPDX-License-Identifier: GPL-3.0-or-later
// See ModelBox.h.
#include "editor/ModelBox.h"

#include <algorithm>

#include "editor/ModelItem.h"
#include "processor/RememberedLoads.h"

namespace stemlane {

ModelBox::ModelBox(StemlaneProcessor& processor) : processor_(processor) {
  setTitle("Model");
  setTooltip("The network that separates the stems; changing it changes the latency");
  list();
  onChange = [this] {
    const int item = getSelectedItemIndex();
    if (item == static_cast<int>(names_.size())) {
      shown_.clear();  // it is no model: the name of the one in use comes back
      refresh();
      if (onMore) onMore();
      return;
    }
    rememberLoadOf(processor_);
    if (item >= 0) processor_.setModel(names_[static_cast<std::size_t>(item)]);
  };
  refresh();
}

juce::String ModelBox::factsOf(const ModelDescriptor& model, double sampleRate) {
  int numStems = 0;
  for (int stem = 0; stem < kNumStems; ++stem) numStems += model.has_stem(stem) ? 1 : 0;
  const double rate =
      sampleRate >= kLowestRate && sampleRate <= kHighestRate ? sampleRate : model.sample_rate;
  const double milliseconds = 1000.0 * latency_sum(model, rate).total() / rate;
  const juce::String latency = milliseconds < 1000.0 ? juce::String(juce::roundToInt(milliseconds)) + " ms"
                                                     : juce::String(milliseconds / 1000.0, 1) + " s";
  return juce::String(numStems) + " stems, " + latency;
}

ModelBox::~ModelBox() {
  if (asked_) processor_.shop().removeChangeListener(this);
}

juce::String ModelBox::loadText(double load) {
  return load > 0.0 ? juce::String(juce::roundToInt(100.0 * load)) + " % of a core" : juce::String();
}

juce::String ModelBox::belowOf(const std::string& model) const {
  if (!asked_) return {};
  for (const ShopEntry& entry : processor_.shop().entries()) {
    if (!entry.isInstalled() || entry.name != juce::String(model)) continue;
    juce::StringArray parts{entry.quality, entry.licence};
    parts.removeEmptyStrings();
    return parts.joinIntoString(juce::String::fromUTF8(" \u00b7 "));
  }
  return {};
}

void ModelBox::changeListenerCallback(juce::ChangeBroadcaster*) {
  std::size_t number = 0;
  for (juce::PopupMenu::MenuItemIterator item(*getRootMenu()); item.next() && number < names_.size();
       ++number)
    if (auto* shown = dynamic_cast<ModelItem*>(item.getItem().customComponent.get()))
      shown->setBelow(belowOf(names_[number]));
}

void ModelBox::list() {
  clear(juce::dontSendNotification);
  names_.clear();
  shown_.clear();
  for (const ModelDescriptor& model : installedModels()) {
    names_.push_back(model.name);
    juce::PopupMenu::Item item(juce::String::fromUTF8(model.title.c_str()));
    item.itemID = static_cast<int>(names_.size());
    const bool isChosen = model.name == processor_.modelName();
    const juce::String load = loadText(isChosen ? loadOf(processor_) : rememberedLoad(model.name));
    item.customComponent = new ModelItem(
        item.text, factsOf(model, processor_.getSampleRate()) + (load.isEmpty() ? "" : ", " + load),
        belowOf(model.name), isChosen);
    getRootMenu()->addItem(std::move(item));
  }
  addSeparator();
  addItem(juce::String::fromUTF8("Compare and add\u2026"), static_cast<int>(names_.size()) + 1);
}

void ModelBox::showPopup() {
  // Quality and licences are the package's to tell; it is asked once somebody looks.
  if (!asked_) {
    asked_ = true;
    processor_.shop().addChangeListener(this);
    if (processor_.shop().entries().empty() && !processor_.shop().isListing()) processor_.shop().refresh();
  }
  list();
  refresh();
  ComboBox::showPopup();
}

void ModelBox::refresh() {
  const std::string name = processor_.modelName();
  if (name == shown_) return;
  shown_ = name;
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end())
    setSelectedItemIndex(static_cast<int>(found - names_.begin()), juce::dontSendNotification);
  else
    setText(juce::String::fromUTF8(name.c_str()) + " (not installed)", juce::dontSendNotification);
}

}  // namespace stemlane
