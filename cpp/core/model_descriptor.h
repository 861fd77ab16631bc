// SPDX-License-Identifier: MIT
// The few numbers of a model that the host side must know before any engine runs, and
// their bounds. Where they come from is model_index.h's business.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "core/contract.h"
#include "core/stems.h"

namespace stemlane {

/// Rates that the engine's resamplers do, in Hz.
using contract::kHighestRate;
using contract::kLowestRate;

/// Longest name of a model, in bytes.
inline constexpr std::size_t kMaxNameBytes = contract::kLongestModelName;

/// Bound on a model's sample counts: 5 minutes at 48 kHz. The sum of three, at a rate 48 times as high, the
/// most there can be, still fits an int.
inline constexpr int kMaxModelSamples = 14'400'000;

/// One model. Sample counts are at the model's rate.
struct ModelDescriptor {
  std::string name;
  std::string title;
  double sample_rate = 44100.0;
  int stride_samples = 0;             ///< step between two runs of the network
  int delay_samples = 0;              ///< analysis window, assembly and lookahead
  int compute_allowance_samples = 0;  ///< time that the engine is given
  std::vector<int> stems;             ///< separated stems in the model's order
  int residual = kOtherStem;          ///< the stem that takes what is left
  int fft_samples = 0;  ///< transform of a model whose frames follow the rate, else 0: it needs a resampler
  int hop_samples = 0;  ///< from one such transform to the next
  bool takes_focus = false;

  bool has_stem(int stem) const noexcept {
    return stem == residual || std::find(stems.begin(), stems.end(), stem) != stems.end();
  }
  bool operator==(const ModelDescriptor&) const = default;
};

}  // namespace stemlane
