// SPDX-License-Identifier: MIT
// The few numbers of a model that the host side must know before any engine runs, and
// their bounds. Where they come from is model_index.h's business.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include "core/stems.h"

namespace stemlane {

/// Rates that the engine's resamplers do, in Hz. streaming.py has the same; a test compares them.
inline constexpr int kLowestRate = 8000;
inline constexpr int kHighestRate = 192'000;

/// Longest name of a model, in bytes; the Python package takes no longer ones either.
inline constexpr std::size_t kMaxNameBytes = 100;

/// Bound on a model's sample counts that keeps every later sum far from overflow: 10 minutes
/// at 192 kHz.
inline constexpr int kMaxModelSamples = 115'200'000;

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

  bool has_stem(int stem) const noexcept {
    return stem == residual || std::find(stems.begin(), stems.end(), stem) != stems.end();
  }
  bool operator==(const ModelDescriptor&) const = default;
};

}  // namespace stemlane
