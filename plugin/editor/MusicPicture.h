// SPDX-License-Identifier: GPL-3.0-or-later
// The last ten seconds as they are heard: time to the right, frequency upwards, each stem in its colour.
#pragma once

#include <juce_gui_basics/juce_gui_basics.h>

#include "editor/StemSpectra.h"

namespace stemlane {

/// It stands still while nothing is played. Message thread only.
class MusicPicture final : public juce::Component, public juce::SettableTooltipClient {
 public:
  static constexpr double kSeconds = 10.0;

  MusicPicture();

  /// Draws what the tap has gathered since the last call. What is not separated is grey.
  void show(StemTap& tap, double sampleRate, bool separated);
  /// The picture itself, newest column on the right; null before anything has been heard.
  const juce::Image& image() const { return image_; }

  void paint(juce::Graphics& g) override;

 private:
  void addColumn(const StemSpectra::Column& column, bool separated);

  StemSpectra spectra_;
  juce::Image image_;  ///< in pixels of the screen
  int columnPixels_ = 1;
};

}  // namespace stemlane
