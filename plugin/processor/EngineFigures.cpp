// SPDX-License-Identifier: GPL-3.0-or-later
// See EngineFigures.h.
#include "processor/EngineFigures.h"

#include <algorithm>
#include <array>

#include "stream/linked_source.h"

namespace stemlane {

EngineFigures engineFigures(const StemStream& stream) {
  const auto* linked = dynamic_cast<const LinkedSource*>(&stream.source());
  if (linked == nullptr) return {};
  const SharedHeader& header = linked->memory().header();
  const std::uint64_t end = header.num_steps.load(std::memory_order_acquire);
  const double rate = stream.config().sample_rate;
  std::array<double, kNumStepTimes> shares{};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(end, kNumStepTimes));
  double spent = 0.0;
  double played = 0.0;
  for (std::size_t i = 0; i < count; ++i) {
    const StepTime step = step_time(header, end - 1 - i, rate);
    spent += step.spent;
    played += step.played;
    shares[i] = step.spent / step.deadline;
  }
  if (count == 0) return {};
  const auto last = shares.begin() + static_cast<std::ptrdiff_t>(count);
  std::sort(shares.begin(), last);
  const auto rank = static_cast<std::size_t>(0.99 * static_cast<double>(count - 1));
  return {static_cast<int>(count), spent / played, shares[rank]};
}

}  // namespace stemlane
