// SPDX-License-Identifier: GPL-3.0-or-later
// See TopBar.h.
#include "editor/TopBar.h"

#include <algorithm>

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

constexpr int kGap = 6;
constexpr int kHeight = 28;

// Six lanes, one per stem.
void paintLogo(juce::Graphics& g, juce::Rectangle<float> area) {
  const float heights[] = {0.55F, 1.0F, 0.7F, 0.4F, 0.85F, 0.6F};
  const float step = area.getWidth() / kNumStems;
  for (int stem = 0; stem < kNumStems; ++stem) {
    g.setColour(colours::stem(stem));
    const auto lane = area.withX(area.getX() + step * static_cast<float>(stem)).withWidth(step - 2.0F);
    g.fillRoundedRectangle(lane.withSizeKeepingCentre(lane.getWidth(), area.getHeight() * heights[stem]),
                           1.5F);
  }
}

}  // namespace

TopBar::TopBar(StemlaneProcessor& processor)
    : processor_(processor), model_(processor), own_(usersPresets()) {
  setTitle("Top");
  addAndMakeVisible(model_);
  model_.onMore = [this] {
    if (onModels) onModels();
  };
  addButton(presets_, "Presets", "Settings of all faders and switches, those that come with it and your own",
            [this] { showPresets(); });
  const auto choose = [this](int slot) {
    if (processor_.edits().slot() != slot) processor_.edits().switchSlot();
    refresh();
  };
  addButton(a_, "Setting A", "Compare two settings: this is the first", [choose] { choose(0); });
  addButton(b_, "Setting B",
            "Compare two settings: this is the second, a copy of the first until you change it",
            [choose] { choose(1); });
  addButton(undo_, "Undo", "Takes the last change back (Ctrl+Z)", [this] { processor_.edits().undo(); });
  addButton(redo_, "Redo", "Does it again (Ctrl+Shift+Z)", [this] { processor_.edits().redo(); });
  addButton(menu_, "Menu", "Files, models, settings, about, copying A and B", [this] { showMenu(); });
}

void TopBar::addButton(juce::TextButton& button, const juce::String& title, const juce::String& tip,
                       std::function<void()> onClick) {
  button.setTitle(title);
  button.setTooltip(tip);
  button.onClick = std::move(onClick);
  addAndMakeVisible(button);
}

juce::String TopBar::presetInForce() const {
  const auto parameters = processor_.parameters().settings();
  for (const auto* presets : {&own_, &builtInPresets()})
    for (const Preset& preset : *presets)
      if (isInForce(preset, parameters)) return preset.name;
  return "Presets";
}

void TopBar::refresh() {
  model_.refresh();
  presets_.setButtonText(presetInForce());
  const int slot = processor_.edits().slot();
  a_.setToggleState(slot == 0, juce::dontSendNotification);
  b_.setToggleState(slot == 1, juce::dontSendNotification);
  undo_.setEnabled(processor_.edits().canUndo());
  redo_.setEnabled(processor_.edits().canRedo());
}

void TopBar::showPresets() {
  own_ = usersPresets();
  juce::PopupMenu menu;
  const auto parameters = processor_.parameters().settings();
  const StemSet present = processor_.presentStems();
  const auto add = [&](const Preset& preset) {
    menu.addItem(preset.name, fitsModel(preset, present), isInForce(preset, parameters), [this, preset] {
      processor_.edits().apply(settingsOf(preset, processor_.parameters().settings()));
    });
  };
  menu.addItem("Neutral",
               [this] { processor_.edits().apply(neutralSettings(processor_.parameters().settings())); });
  for (const Preset& preset : builtInPresets()) add(preset);
  menu.addSectionHeader(own_.empty() ? "None of your own yet" : "Your own");
  for (const Preset& preset : own_) add(preset);
  menu.addSeparator();
  menu.addItem(juce::String::fromUTF8("Save as\u2026"), [this] {
    if (onSavePreset) onSavePreset();
  });
  menu.addItem("Open their folder", [] {
    const juce::File folder = presetsFolder();
    folder.createDirectory();
    folder.startAsProcess();
  });
  menu.showMenuAsync(
      juce::PopupMenu::Options().withTargetComponent(presets_).withParentComponent(getParentComponent()));
}

void TopBar::showMenu() {
  juce::PopupMenu menu;
  const bool isA = processor_.edits().slot() == 0;
  menu.addItem(isA ? "Copy A to B" : "Copy B to A", [this] { processor_.edits().copyToOtherSlot(); });
  menu.addSeparator();
  const auto page = [&](const char* name, const std::function<void()>& open) {
    menu.addItem(juce::String::fromUTF8(name), [open] {
      if (open) open();
    });
  };
  page("Separate files\u2026", onFiles);
  page("Models\u2026", onModels);
  menu.addItem("Settings", [this] {
    if (onSettings) onSettings();
  });
  menu.addItem("About Stemlane", [this] {
    if (onAbout) onAbout();
  });
  menu.showMenuAsync(
      juce::PopupMenu::Options().withTargetComponent(menu_).withParentComponent(getParentComponent()));
}

void TopBar::paint(juce::Graphics& g) {
  auto area = getLocalBounds();
  paintLogo(g, area.removeFromLeft(30).toFloat().withSizeKeepingCentre(30.0F, 26.0F));
  area.removeFromLeft(10);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(20.0F, true));
  g.drawText("Stemlane", area.withRight(model_.getX() - kGap), juce::Justification::centredLeft, false);
}

void TopBar::resized() {
  auto area = getLocalBounds().withSizeKeepingCentre(getWidth(), kHeight);
  const auto place = [&](juce::Component& component, int width, int gap) {
    component.setBounds(area.removeFromRight(width));
    area.removeFromRight(gap);
  };
  place(menu_, 54, kGap);
  place(redo_, 50, kGap);
  place(undo_, 50, 2 * kGap);
  place(b_, 28, 2);
  place(a_, 28, 2 * kGap);
  place(presets_, std::min(150, getWidth() / 7), kGap);
  place(model_, std::min(200, getWidth() / 5), kGap);
}

}  // namespace stemlane
