// SPDX-License-Identifier: MIT
// Lengths of transforms that follow the host's rate, so that spectra need no resampler. The
// Python engine's manifests/rates.py computes the same numbers and says why; a test compares the two.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/contract.h"
#include "core/model_descriptor.h"

namespace stemlane {

/// How far bins may lie from the model's, relative.
using contract::kFrameTolerance;

/// The largest prime factor of a number of at least 2.
inline int largest_prime(int number) noexcept {
  int largest = 1;
  for (int factor = 2; factor * factor <= number; ++factor)
    for (; number % factor == 0; number /= factor) largest = factor;
  return std::max(largest, number);
}

/// Length of the transform at `sample_rate` (Hz) whose bins lie where those of `fft_samples`
/// samples at `model_rate` do: within the tolerance the length with the smallest largest prime
/// factor, then the nearest, then the shorter. A multiple of 4. Any thread; not for every block.
inline int frame_samples(int fft_samples, double model_rate, double sample_rate) noexcept {
  if (sample_rate == model_rate) return fft_samples;
  const double wanted = fft_samples * sample_rate;
  for (const int step : {8, 4}) {
    int best = 0;
    int best_prime = 0;
    double best_miss = 0.0;
    const int first = static_cast<int>(wanted * (1.0 - kFrameTolerance) / model_rate) / step * step;
    const int last = static_cast<int>(wanted * (1.0 + kFrameTolerance) / model_rate);
    for (int length = std::max(first, step); length <= last; length += step) {
      const double miss = std::abs(length * model_rate - wanted);
      if (miss > kFrameTolerance * wanted) continue;
      const int prime = largest_prime(length);
      if (best != 0 && (prime > best_prime || (prime == best_prime && miss >= best_miss))) continue;
      best = length;
      best_prime = prime;
      best_miss = miss;
    }
    if (best != 0) return best;
  }
  return std::max(4, 4 * static_cast<int>(std::floor(wanted / model_rate / 4.0 + 0.5)));
}

/// A length counted in hops, where the hop has another length: whole hops exactly, the rest
/// rounded half up.
inline int rescaled(std::int64_t num_samples, std::int64_t hop, std::int64_t new_hop) noexcept {
  const std::int64_t rest = num_samples % hop;
  return static_cast<int>(num_samples / hop * new_hop + (2 * rest * new_hop + hop) / (2 * hop));
}

/// The model as it runs for a stream of `sample_rate` Hz: one that follows the rate gets that
/// rate and the sample counts of its frames there; others stay as they are. The engine's
/// `Manifest.at_rate` computes the same. Any thread, not the audio thread.
inline ModelDescriptor at_rate(const ModelDescriptor& model, double sample_rate) {
  if (model.fft_samples == 0 || sample_rate == model.sample_rate) return model;
  ModelDescriptor result = model;
  result.sample_rate = sample_rate;
  result.fft_samples = frame_samples(model.fft_samples, model.sample_rate, sample_rate);
  const auto hop = static_cast<std::int64_t>(model.hop_samples);
  const std::int64_t new_hop = std::max<std::int64_t>(1, result.fft_samples * hop / model.fft_samples);
  result.hop_samples = static_cast<int>(new_hop);
  result.stride_samples = rescaled(model.stride_samples, hop, new_hop);
  result.delay_samples = rescaled(model.delay_samples, hop, new_hop);
  result.compute_allowance_samples =
      static_cast<int>((model.compute_allowance_samples * new_hop + hop - 1) / hop);
  return result;
}

}  // namespace stemlane
