// SPDX-License-Identifier: MIT
// How long an engine sleeps between two looks at the shared memory: in real time the host makes no
// system call, so nobody wakes it.
#pragma once

#include <algorithm>
#include <cstdint>

namespace stemlane {

inline constexpr std::int64_t kShortestPollNanoseconds = 1'000'000;
inline constexpr std::int64_t kShortestIdlePollNanoseconds = 5'000'000;
inline constexpr std::int64_t kLongestIdlePollNanoseconds = 10'000'000;

/// Times that an engine may sleep, for a stream at `sample_rate` Hz whose engine is given
/// `allowance_seconds` to compute.
class Poll {
 public:
  Poll(double sample_rate, double allowance_seconds) noexcept
      : sample_rate_(sample_rate), allowance_(allowance_seconds * 1e9) {}

  /// While music comes and `num_missing` samples of the next stride do not lie there yet: half the
  /// time that they take, as a host may be early, and at most a twelfth of the allowance, as it may
  /// hand over many at once.
  std::int64_t awake(std::int64_t num_missing) const noexcept {
    const double coming = 1e9 * static_cast<double>(num_missing) / sample_rate_ / 2.0;
    return std::max(kShortestPollNanoseconds, static_cast<std::int64_t>(std::min(coming, allowance_ / 12.0)));
  }

  /// When nothing has come for a while, or nobody hears stems.
  std::int64_t idle() const noexcept {
    return std::clamp(static_cast<std::int64_t>(allowance_ / 2.0), kShortestIdlePollNanoseconds,
                      kLongestIdlePollNanoseconds);
  }

 private:
  double sample_rate_;
  double allowance_;  ///< nanoseconds
};

}  // namespace stemlane
