// SPDX-License-Identifier: GPL-3.0-or-later
// See QuickBar.h.
#include "editor/QuickBar.h"

#include <algorithm>

namespace stemlane {
namespace {

constexpr int kGap = 6;
constexpr int kCaptureWidth = 88;
constexpr int kLinkWidth = 52;
constexpr int kResetWidth = 58;

// What a preset has set, at its default.
std::vector<Edits::Setting> takenBack(const Preset& preset, const Edits::Parameters& parameters) {
  std::vector<Edits::Setting> settings = settingsOf(preset, parameters);
  for (auto& [parameter, value] : settings) value = parameter->getDefaultValue();
  return settings;
}

}  // namespace

QuickBar::QuickBar(StemlaneProcessor& processor, FaderGang& gang)
    : processor_(processor), gang_(gang), capture_(processor) {
  setTitle("One touch");
  for (std::size_t i = 0; i < presets_.size(); ++i) {
    const Preset& preset = builtInPresets()[i];
    PresetButton& button = presets_[i];
    button.setButtonText(preset.name);
    button.setTitle(preset.name);
    button.setTooltip(preset.tip + ". Press again to take it back");
    button.onClick = [this, &preset] { press(preset); };
    addAndMakeVisible(button);
  }
  addAndMakeVisible(capture_);
  link_.setTitle("Link faders");
  link_.setClickingTogglesState(true);
  link_.setTooltip("Faders move together, by as many dB");
  link_.setToggleState(gang_.isLinked(), juce::dontSendNotification);
  link_.onClick = [this] { gang_.setLinked(link_.getToggleState()); };
  addAndMakeVisible(link_);
  reset_.setTitle("Reset all");
  reset_.setTooltip("All faders to 0 dB, mute and solo off. Undo brings them back");
  reset_.onClick = [this] { processor_.edits().apply(neutralSettings(processor_.parameters().settings())); };
  addAndMakeVisible(reset_);
}

void QuickBar::press(const Preset& preset) {
  const auto parameters = processor_.parameters().settings();
  processor_.edits().apply(isInForce(preset, parameters) ? takenBack(preset, parameters)
                                                         : settingsOf(preset, parameters));
  refresh();
}

void QuickBar::refresh() {
  capture_.refresh();
  const auto parameters = processor_.parameters().settings();
  const StemSet present = processor_.presentStems();
  for (std::size_t i = 0; i < presets_.size(); ++i) {
    const Preset& preset = builtInPresets()[i];
    presets_[i].setEnabled(fitsModel(preset, present));
    presets_[i].setStems(present, heardIn(preset, present));
    presets_[i].setToggleState(isInForce(preset, parameters), juce::dontSendNotification);
  }
}

void QuickBar::resized() {
  auto area = getLocalBounds();
  reset_.setBounds(area.removeFromRight(kResetWidth));
  area.removeFromRight(kGap);
  link_.setBounds(area.removeFromRight(kLinkWidth));
  area.removeFromRight(kGap);
  capture_.setBounds(area.removeFromRight(kCaptureWidth));
  area.removeFromRight(2 * kGap);
  // As many as have room for their text; all are in the menu of presets.
  for (auto& button : presets_) {
    const int width = std::max(84, button.getBestWidthForHeight(area.getHeight()) + kGap);
    button.setVisible(width <= area.getWidth());
    if (!button.isVisible()) continue;
    button.setBounds(area.removeFromLeft(width));
    area.removeFromLeft(kGap);
  }
}

}  // namespace stemlane
