// SPDX-License-Identifier: GPL-3.0-or-later
// See StemSpectra.h.
#include "editor/StemSpectra.h"

#include <algorithm>
#include <cmath>

namespace stemlane {
namespace {

// Long enough to tell low notes apart, short enough for drums.
constexpr double kWindowSeconds = 0.04;

}  // namespace

double StemSpectra::bandHz(int band, int numBands) {
  return kLowestHz * std::pow(kHighestHz / kLowestHz, (band + 0.5) / numBands);
}

bool StemSpectra::isSetUpFor(double sampleRate, int numBands, double columnSeconds) const {
  return sampleRate == sampleRate_ && columnSeconds == columnSeconds_ &&
         column_[0].size() == static_cast<std::size_t>(numBands);
}

void StemSpectra::setUp(double sampleRate, int numBands, double columnSeconds) {
  sampleRate_ = sampleRate;
  columnSeconds_ = columnSeconds;
  const int order = juce::jlimit(8, 15, static_cast<int>(std::round(std::log2(kWindowSeconds * sampleRate))));
  windowSamples_ = 1 << order;
  hopSamples_ = std::max(1, juce::roundToInt(columnSeconds * sampleRate));
  waiting_ = 0;
  fft_ = std::make_unique<juce::dsp::FFT>(order);
  const auto size = static_cast<std::size_t>(windowSamples_);
  window_.resize(size);
  // Hann, scaled so that a sine of full scale in both channels has power 1 in its bin: its two halves
  // have 1/2 each, the window's mean is 1/2, and so the spectrum's magnitude is size / 4 a channel.
  for (std::size_t n = 0; n < size; ++n)
    window_[n] =
        static_cast<float>((0.5 - 0.5 * std::cos(juce::MathConstants<double>::twoPi * n / windowSamples_)) *
                           4.0 / windowSamples_);
  windowed_.assign(size, {});
  spectrum_.assign(size, {});
  for (auto& past : past_) past.assign(size, {});
  for (auto& bands : column_) bands.assign(static_cast<std::size_t>(numBands), 0.0F);

  bandEdges_.clear();
  for (int edge = 0; edge <= numBands; ++edge) {
    const double hz = kLowestHz * std::pow(kHighestHz / kLowestHz, static_cast<double>(edge) / numBands);
    bandEdges_.push_back(
        std::clamp(juce::roundToInt(hz / sampleRate * windowSamples_), 1, windowSamples_ / 2));
  }
}

void StemSpectra::read(StemTap& tap, const std::function<void(const Column&)>& take) {
  if (fft_ == nullptr) return;
  // Behind by more than the ring holds at once there is nothing; what is there is at most a fraction of a
  // second.
  for (auto ready = static_cast<int>(tap.num_ready()); ready > 0;) {
    const int count = std::min(ready, hopSamples_ - waiting_);
    tap.read(count, scratch_, [&](int stem, int channel, const float* samples) {
      takeSamples(stem, channel, samples, count);
    });
    ready -= count;
    waiting_ += count;
    if (waiting_ < hopSamples_) return;
    waiting_ = 0;
    makeColumn();
    take(column_);
  }
}

void StemSpectra::takeSamples(int stem, int channel, const float* samples, int numSamples) {
  auto& past = past_[static_cast<std::size_t>(stem)];
  const int kept = std::min(numSamples, windowSamples_);
  if (channel == 0) std::move(past.begin() + kept, past.end(), past.begin());
  const auto start = past.end() - kept;
  samples += numSamples - kept;
  for (int n = 0; n < kept; ++n) {
    // What is no number is no sound.
    const float sample = std::isfinite(samples[n]) ? samples[n] : 0.0F;
    auto& place = start[n];
    place = channel == 0 ? juce::dsp::Complex<float>(sample, 0.0F)
                         : juce::dsp::Complex<float>(place.real(), sample);
  }
}

void StemSpectra::makeColumn() {
  for (int stem = 0; stem < kNumStems; ++stem) {
    const auto& past = past_[static_cast<std::size_t>(stem)];
    auto& bands = column_[static_cast<std::size_t>(stem)];
    const bool silent = std::all_of(past.begin(), past.end(),
                                    [](const auto& sample) { return sample == juce::dsp::Complex<float>(); });
    if (silent) {
      std::fill(bands.begin(), bands.end(), 0.0F);
      continue;
    }
    for (std::size_t n = 0; n < past.size(); ++n) windowed_[n] = past[n] * window_[n];
    fft_->perform(windowed_.data(), spectrum_.data(), false);
    sumBands(stem);
  }
}

// One transform serves both channels: with Z of l + i r, |L|^2 + |R|^2 at a bin is the mean of |Z|^2 there
// and at the mirrored bin.
void StemSpectra::sumBands(int stem) {
  auto& bands = column_[static_cast<std::size_t>(stem)];
  for (std::size_t band = 0; band < bands.size(); ++band) {
    const int first = bandEdges_[band];
    const int last = std::max(first + 1, bandEdges_[band + 1]);
    float power = 0.0F;
    for (int bin = first; bin < last; ++bin) {
      const auto here = static_cast<std::size_t>(bin);
      const auto mirrored = static_cast<std::size_t>(windowSamples_ - bin);
      power = std::max(power, 0.25F * (std::norm(spectrum_[here]) + std::norm(spectrum_[mirrored])));
    }
    bands[band] = power;
  }
}

}  // namespace stemlane
