// SPDX-License-Identifier: GPL-3.0-or-later
// A stem that has become a file: seen, muted with a click, and dragged into the DAW's timeline or a file
// manager.
#pragma once

#include <juce_audio_utils/juce_audio_utils.h>
#include <juce_gui_basics/juce_gui_basics.h>

#include <functional>

namespace stemlane {

/// Reads waveforms in the background, for all chips of a page.
class Waveforms {
 public:
  Waveforms() { formats.registerFormat(new juce::WavAudioFormat(), true); }
  juce::AudioFormatManager formats;
  juce::AudioThumbnailCache cache{200};
};

/// Message thread only.
class StemChip final : public juce::Component,
                       public juce::SettableTooltipClient,
                       private juce::ChangeListener {
 public:
  static constexpr int kHeight = 46;

  StemChip(const juce::String& name, const juce::File& file, Waveforms& waveforms);
  ~StemChip() override;

  const juce::File& file() const { return file_; }
  bool isMuted() const { return isMuted_; }
  /// A click, Space or Return has muted it, or taken that back.
  std::function<void()> onMute;
  /// Where it plays, 0 to 1; below 0: it does not.
  void showPlayed(double share);
  /// True once all of its waveform has been read.
  bool isDrawn() const { return waveform_.isFullyLoaded(); }

  void paint(juce::Graphics& g) override;
  void mouseEnter(const juce::MouseEvent&) override { repaint(); }
  void mouseExit(const juce::MouseEvent&) override { repaint(); }
  void mouseDrag(const juce::MouseEvent& event) override;
  void mouseUp(const juce::MouseEvent& event) override;
  bool keyPressed(const juce::KeyPress& key) override;
  void focusGained(FocusChangeType) override { repaint(); }
  void focusLost(FocusChangeType) override { repaint(); }

 private:
  std::unique_ptr<juce::AccessibilityHandler> createAccessibilityHandler() override;
  void changeListenerCallback(juce::ChangeBroadcaster*) override { repaint(); }
  void toggle();

  const juce::String name_;
  const juce::File file_;
  juce::Colour colour_;
  juce::AudioThumbnail waveform_;
  double played_ = -1.0;
  bool isMuted_ = false;
};

}  // namespace stemlane
