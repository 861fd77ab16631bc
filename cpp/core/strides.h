// SPDX-License-Identifier: MIT
// How many strides of a model an engine lets come together in real time, to compute them in one step, and
// what a step's deadline is then.
#pragma once

#include <algorithm>
#include <cstdint>

namespace stemlane {

/// More would come in bursts that many inserts have at the same moment, and save little.
inline constexpr std::int64_t kMostStridesAtOnce = 4;

/// Strides of `stride_samples` that come together before an engine computes them, for a host whose blocks
/// have `block_samples` at most; all in samples at the host's rate, `stride_samples` above 0. The stems of
/// stride i are asked for once `allowance_samples` more of the mixture have come than that stride, and the
/// last of them come with a block that may hold more. So k strides leave allowance - (k - 1) stride - block;
/// it is at least a stride, as long as there is more than one to wait for.
inline std::int64_t strides_at_once(std::int64_t allowance_samples, std::int64_t stride_samples,
                                    std::int64_t block_samples) noexcept {
  return std::clamp<std::int64_t>(
      (allowance_samples - block_samples) / std::max<std::int64_t>(stride_samples, 1), 1, kMostStridesAtOnce);
}

/// Samples until a step must be done that takes `num_samples`, when the mixture lies `backlog_samples` beyond
/// where its first stride begins: until the first of its stems are asked for, but not longer than the music
/// that it takes, as the next one follows. A step that comes too late for its first stems has to catch up,
/// within the music it takes.
inline std::int64_t step_deadline(std::int64_t num_samples, std::int64_t backlog_samples,
                                  std::int64_t stride_samples, std::int64_t allowance_samples) noexcept {
  const std::int64_t left = stride_samples + allowance_samples - backlog_samples;
  return left > 0 ? std::min(num_samples, left) : num_samples;
}

}  // namespace stemlane
