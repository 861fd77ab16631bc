// SPDX-License-Identifier: GPL-3.0-or-later
// See NamePrompt.h.
#include "editor/NamePrompt.h"

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

juce::Rectangle<int> card(const juce::Component& component) {
  return juce::Rectangle<int>(380, 170).withCentre(component.getLocalBounds().getCentre());
}

}  // namespace

NamePrompt::NamePrompt(const juce::String& title) : title_(title) {
  setTitle(title);
  setFocusContainerType(FocusContainerType::keyboardFocusContainer);
  name_.setTitle("Name");
  name_.setFont(StemlaneLook::font(15.0F));
  name_.setInputRestrictions(80);
  name_.onReturnKey = [this] { take(); };
  name_.onEscapeKey = [this] { close(); };
  problem_.setFont(StemlaneLook::font(12.0F));
  problem_.setColour(juce::Label::textColourId, colours::bad);
  save_.setTitle("Save");
  cancel_.setTitle("Cancel");
  save_.onClick = [this] { take(); };
  cancel_.onClick = [this] { close(); };
  for (juce::Component* part :
       {static_cast<juce::Component*>(&name_), static_cast<juce::Component*>(&problem_),
        static_cast<juce::Component*>(&save_), static_cast<juce::Component*>(&cancel_)})
    addAndMakeVisible(part);
}

void NamePrompt::take() {
  const juce::String problem = onName ? onName(name_.getText()) : juce::String();
  if (problem.isEmpty()) return close();
  problem_.setText(problem, juce::dontSendNotification);
}

void NamePrompt::paint(juce::Graphics& g) {
  g.fillAll(colours::background.withAlpha(0.75F));
  const auto area = card(*this);
  g.setColour(colours::panel);
  g.fillRoundedRectangle(area.toFloat(), 9.0F);
  g.setColour(colours::outline);
  g.drawRoundedRectangle(area.toFloat(), 9.0F, 1.0F);
  g.setColour(colours::text);
  g.setFont(StemlaneLook::font(16.0F, true));
  g.drawText(title_, area.reduced(20, 14).removeFromTop(22), juce::Justification::centredLeft);
}

void NamePrompt::resized() {
  auto area = card(*this).reduced(20, 14);
  area.removeFromTop(30);
  name_.setBounds(area.removeFromTop(30));
  problem_.setBounds(area.removeFromTop(34));
  auto buttons = area.removeFromBottom(28);
  save_.setBounds(buttons.removeFromRight(84));
  buttons.removeFromRight(8);
  cancel_.setBounds(buttons.removeFromRight(84));
}

}  // namespace stemlane
