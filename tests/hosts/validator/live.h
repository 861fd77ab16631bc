// SPDX-License-Identifier: GPL-3.0-or-later
// Plays a file through the bundle at the pace of a sound card, as a DAW does while
// somebody listens.
#pragma once

#include "subject.h"

namespace validator {

struct LiveTake {
  juce::String model;
  juce::String stem;  ///< is muted
  double sampleRate = 44100.0;
  int blockSamples = 512;
  juce::File input, output;  ///< stereo, float32, one channel after the other
  double slower = 1.0;       ///< so many times the length of the music, where others need the processor, too
};

/// Waits until the engine runs, then plays `input`, a block when its time has come, in real
/// time or slower. Writes what comes out and prints `ready LATENCY` before the first block; after the
/// last one `states` and the engine's states in the order in which they were seen, and
/// `slowest` with the time of the slowest block in microseconds. Throws Failure if the
/// engine does not start.
void playLive(Subject& subject, const LiveTake& take);

}  // namespace validator
