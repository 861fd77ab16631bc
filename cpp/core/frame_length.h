// SPDX-License-Identifier: MIT
// Lengths of transforms that follow the host's rate, so that spectra need no resampler. The
// Python engine's manifests/rates.py computes the same numbers and says why; a test compares the two.
#pragma once

#include <algorithm>
#include <cmath>

namespace stemlane {

/// How far bins may lie from the model's: 0.13 % costs no quality.
inline constexpr double kFrameTolerance = 0.0013;

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
  return std::max(4, 4 * static_cast<int>(wanted / model_rate / 4.0 + 0.5));
}

}  // namespace stemlane
