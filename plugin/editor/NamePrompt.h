// SPDX-License-Identifier: GPL-3.0-or-later
// Asks for the name of a preset, over the editor: a window of its own would end up behind some hosts.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>

namespace stemlane {

/// Return or "Save" hands the name over, Escape or "Cancel" does not. Message thread only.
class NamePrompt final : public juce::Component {
 public:
  explicit NamePrompt(const juce::String& title);

  /// Gets the name; returns why it does not do, or nothing if the prompt is done with.
  std::function<juce::String(const juce::String&)> onName;
  std::function<void()> onClose;

  void paint(juce::Graphics& g) override;
  void resized() override;

 private:
  void take();
  void close() {
    if (onClose) onClose();
  }

  const juce::String title_;
  juce::TextEditor name_;
  juce::Label problem_;
  juce::TextButton save_{"Save"}, cancel_{"Cancel"};
};

}  // namespace stemlane
