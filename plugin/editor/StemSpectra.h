// SPDX-License-Identifier: GPL-3.0-or-later
// From the stems' samples to columns of a picture: the energy of each stem in bands of frequency.
#pragma once

#include <juce_dsp/juce_dsp.h>

#include <array>
#include <functional>
#include <vector>

#include "core/stems.h"
#include "stream/stem_tap.h"

namespace stemlane {

/// One message thread. Allocates when it is set up, not afterwards.
class StemSpectra {
 public:
  static constexpr double kLowestHz = 40.0;
  static constexpr double kHighestHz = 16000.0;

  /// Power of each stem in each band, lowest first; 1 is a sine of full scale in both channels.
  using Column = std::array<std::vector<float>, kNumStems>;

  /// Columns of `numBands` bands, each `columnSeconds` after the last. Forgets what it has heard.
  void setUp(double sampleRate, int numBands, double columnSeconds);
  /// Whether `setUp` has been called with just these.
  bool isSetUpFor(double sampleRate, int numBands, double columnSeconds) const;

  /// Reads what waits in the tap and hands each column that is complete to `take`.
  void read(StemTap& tap, const std::function<void(const Column&)>& take);

  /// Middle of a band in Hz: bands are equally wide in octaves.
  static double bandHz(int band, int numBands);

 private:
  void takeSamples(int stem, int channel, const float* samples, int numSamples);
  void makeColumn();
  void sumBands(int stem);

  double sampleRate_ = 0.0;
  double columnSeconds_ = 0.0;
  int windowSamples_ = 0;
  int hopSamples_ = 0;
  int waiting_ = 0;  ///< samples since the last column
  std::unique_ptr<juce::dsp::FFT> fft_;
  std::vector<float> window_;
  std::vector<int> bandEdges_;  ///< bins; band b is [edge b, edge b + 1), at least one bin
  /// The last window of each stem: both channels, as real and imaginary part.
  std::array<std::vector<juce::dsp::Complex<float>>, kNumStems> past_;
  std::vector<juce::dsp::Complex<float>> windowed_, spectrum_;
  std::vector<float> scratch_;
  Column column_;
};

}  // namespace stemlane
