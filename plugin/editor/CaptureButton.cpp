// SPDX-License-Identifier: GPL-3.0-or-later
// See CaptureButton.h.
#include "editor/CaptureButton.h"

#include "editor/StemlaneLook.h"

namespace stemlane {
namespace {

juce::String clock(double seconds) {
  const int whole = static_cast<int>(seconds);
  return juce::String(whole / 60) + ":" + juce::String(whole % 60).paddedLeft('0', 2);
}

}  // namespace

CaptureButton::CaptureButton(StemlaneProcessor& processor) : TextButton("Capture"), processor_(processor) {
  setTitle("Capture");
  told_ = processor.capture().problem();
  onClick = [this] { press(); };
  refresh();
}

std::vector<CaptureButton::Choice> CaptureButton::choices(double tempo) {
  std::vector<Choice> all = {{"Until I stop it", 0, true}};
  for (const int bars : {1, 2, 4, 8, 16, 32})
    all.push_back({bars == 1 ? juce::String("The next bar") : "The next " + juce::String(bars) + " bars",
                   bars, tempo > 0.0});
  return all;
}

void CaptureButton::press() {
  Capture& capture = processor_.capture();
  if (hasNews_) {
    hasNews_ = false;
    refresh();
    if (onResult) onResult();
    return;
  }
  if (const Capture::State state = capture.state(); state != Capture::State::idle) {
    isAsked_ = true;
    capture.stop();
    refresh();
    if (state != Capture::State::waiting && onResult) onResult();
    return;
  }
  juce::PopupMenu menu;
  const double tempo = capture.tempo();
  for (const Choice& choice : choices(tempo)) {
    menu.addItem(choice.text, choice.isPossible, false, [this, choice] {
      processor_.startCapture(choice.numBars);
      refresh();
    });
    if (choice.numBars == 0)
      menu.addSectionHeader(tempo > 0.0 ? "When the host plays, at " + juce::String(tempo, 1) + " BPM"
                                        : "The host tells no tempo");
  }
  menu.showMenuAsync(juce::PopupMenu::Options().withTargetComponent(this).withParentComponent(
      findParentComponentOfClass<juce::AudioProcessorEditor>()));
}

void CaptureButton::refresh() {
  const Capture& capture = processor_.capture();
  const Capture::State state = capture.state();
  if (state != Capture::State::idle) {
    hasNews_ = false;
  } else if (shown_ != Capture::State::idle || capture.problem() != told_) {
    hasNews_ = !isAsked_ && onResult != nullptr;
    isAsked_ = false;
  }
  shown_ = state;
  told_ = capture.problem();
  juce::String label = "Capture";
  juce::String tip = "Records what passes here, and makes its stems, to be dragged into the DAW";
  if (state == Capture::State::waiting) {
    label = juce::String::fromUTF8("Next bar\u2026");
    tip = "Waits for the next bar of the host. Press to give up";
  } else if (state != Capture::State::idle) {
    label = "Stop " + clock(capture.seconds());
    tip = "Records. Press to stop and make the stems";
  } else if (hasNews_) {
    label = capture.problem().isEmpty() ? "Show stems" : "Look";
    tip =
        capture.problem().isEmpty() ? juce::String("Captured; its stems are being made") : capture.problem();
  }
  setColour(buttonOnColourId, hasNews_ ? colours::focus : colours::bad);
  setToggleState(state != Capture::State::idle || hasNews_, juce::dontSendNotification);
  if (getButtonText() == label && getTooltip() == tip) return;
  setButtonText(label);
  setTooltip(tip);
  setDescription(tip);
}

}  // namespace stemlane
