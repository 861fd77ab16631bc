// SPDX-License-Identifier: MIT
// The one place where input-to-output delay is added up. It depends on the model and
// the host's sample rate, never on the host's block size.
#pragma once

#include <algorithm>
#include <cmath>

#include "core/contract.h"
#include "core/frame_length.h"
#include "core/model_descriptor.h"

namespace stemlane {

/// Stems must be there this long before they are needed, so that they can be faded
/// out when the next chunk is late: 64 samples, 1.5 ms at 44.1 kHz.
using contract::kFadeReserveSamples;

/// At foreign rates the engine is fed in portions of this many samples; at the
/// model's own rate it is fed whole strides, which wait for nothing else.
using contract::kFeedSamples;

/// The terms of the delay, in samples at the host's rate.
struct LatencySum {
  int delay = 0;         ///< analysis window, overlap-add and lookahead of the model
  int stride = 0;        ///< the network runs once a stride; a sample waits up to that long
  int resampling = 0;    ///< both resamplers and their feed; 0 for a model that follows the rate
  int allowance = 0;     ///< time given to the engine to compute; also the largest host
                         ///< block that real time allows
  int fade_reserve = 0;  ///< see kFadeReserveSamples

  int total() const noexcept { return delay + stride + resampling + allowance + fade_reserve; }
};

/// Longest lag of a soxr 'HQ' stream between two rates, in seconds; bounds measured by
/// the tests of the Python engine, which uses the same table.
inline double resampler_lag_seconds(double from_hz, double to_hz) noexcept {
  const double low = std::min(from_hz, to_hz);
  const double ratio = std::max(from_hz, to_hz) / low;
  for (const contract::ResamplerLag& lag : contract::kResamplerLags)
    if (lag.above < ratio && ratio < lag.below) return lag.samples / low;
  return contract::kResamplerLags.back().samples / low;
}

/// Adds up the latency of a model at `sample_rate` (Hz). Any thread.
inline LatencySum latency_sum(const ModelDescriptor& any_rate, double sample_rate) {
  const ModelDescriptor model = at_rate(any_rate, sample_rate);
  const auto at_host = [&](double model_samples) {
    return static_cast<int>(std::ceil(model_samples * sample_rate / model.sample_rate));
  };
  LatencySum sum;
  // delay and stride are rounded up together: the network's output leaves in one piece.
  sum.delay = at_host(model.delay_samples);
  sum.stride = at_host(static_cast<double>(model.delay_samples) + model.stride_samples) - sum.delay;
  if (sample_rate != model.sample_rate) {
    const auto lag = [&](double from, double to) {
      return static_cast<int>(std::ceil(resampler_lag_seconds(from, to) * sample_rate));
    };
    sum.resampling = lag(sample_rate, model.sample_rate) + lag(model.sample_rate, sample_rate) + kFeedSamples;
  }
  sum.allowance = at_host(model.compute_allowance_samples);
  sum.fade_reserve = kFadeReserveSamples;
  return sum;
}

}  // namespace stemlane
