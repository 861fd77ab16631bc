// SPDX-License-Identifier: GPL-3.0-or-later
// A host's transport that a test moves.
#pragma once

#include <juce_audio_processors/juce_audio_processors.h>

#include <cmath>

/// Position in quarter notes; bars begin at multiples of a bar's length.
class FakeTransport final : public juce::AudioPlayHead {
 public:
  bool plays = true;
  double tempo = 120.0;  ///< 0: told by nobody
  double position = 0.0;
  int beats = 4;
  int beatUnit = 4;

  double quartersPerBar() const { return 4.0 * beats / beatUnit; }
  void advance(int numSamples, double sampleRate) {
    if (plays) position += numSamples * tempo / (60.0 * sampleRate);
  }
  juce::Optional<PositionInfo> getPosition() const override {
    PositionInfo info;
    info.setIsPlaying(plays);
    if (tempo > 0.0) {
      info.setBpm(tempo);
      info.setPpqPosition(position);
      info.setTimeSignature(juce::AudioPlayHead::TimeSignature{beats, beatUnit});
      info.setPpqPositionOfLastBarStart(std::floor(position / quartersPerBar()) * quartersPerBar());
    }
    return info;
  }
};
