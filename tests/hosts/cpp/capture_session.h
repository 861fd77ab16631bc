// SPDX-License-Identifier: GPL-3.0-or-later
// A processor whose captures a test looks at.
#pragma once

#include <juce_audio_formats/juce_audio_formats.h>

#include "fake_transport.h"
#include "home.h"
#include "window.h"

/// A processor with a transport and a home of its own, and the file that a capture has left. It renders:
/// blocks come faster than in real time, and a capture may wait for the disk.
struct Session {
  Home home;
  Host host;
  FakeTransport transport;
  juce::File file;

  explicit Session(double sampleRate = 44100.0, const juce::AudioChannelSet& main = kStereo)
      : host("live", layout(main, kNone), true, sampleRate) {
    host.processor->setPlayHead(&transport);
    host.processor->capture().onFile = [this](const juce::File& made) { file = made; };
  }
  stemlane::Capture& capture() { return host.processor->capture(); }
  /// Plays `in`; the transport goes along.
  void play(const Audio& in, int blockSamples = 512) {
    const double rate = host.processor->getSampleRate();
    int done = 0;
    host.play(in, blockSamples, [&] {
      const int now = std::min(blockSamples, in.num_samples() - done);
      transport.advance(now, rate);
      done += now;
    });
  }
  bool finish() {
    return wait_for([&] {
      pump();
      return capture().state() == stemlane::Capture::State::idle;
    });
  }
};

/// True if a file is float32 at a rate and holds `in` from sample `from` on, `length` samples.
inline bool holds(const juce::File& file, const Audio& in, int from, int length, double sampleRate) {
  juce::WavAudioFormat wav;
  const std::unique_ptr<juce::AudioFormatReader> reader(
      wav.createReaderFor(file.createInputStream().release(), true));
  if (reader == nullptr || reader->sampleRate != sampleRate || !reader->usesFloatingPointData ||
      reader->bitsPerSample != 32 || reader->lengthInSamples != length ||
      reader->numChannels != in.samples.size())
    return false;
  Buffer read(static_cast<int>(reader->numChannels), length);
  reader->read(&read, 0, length, 0, true, true);
  for (int channel = 0; channel < read.getNumChannels(); ++channel)
    for (int n = 0; n < length; ++n)
      if (read.getSample(channel, n) !=
          in.samples[static_cast<std::size_t>(channel)][static_cast<std::size_t>(from + n)])
        return false;
  return true;
}
