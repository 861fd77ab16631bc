// SPDX-License-Identifier: GPL-3.0-or-later
// See EngineFigures.h.
#include "processor/EngineFigures.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "stream/linked_source.h"

namespace stemlane {

EngineFigures engineFigures(const StemStream& stream) {
  const auto* linked = dynamic_cast<const LinkedSource*>(&stream.source());
  const ModelDescriptor& model = stream.config().model;
  if (linked == nullptr || model.stride_samples <= 0) return {};
  const SharedHeader& header = linked->memory().header();
  const std::uint64_t end = header.num_steps.load(std::memory_order_acquire);
  std::array<double, kNumStepTimes> times{};
  const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(end, kNumStepTimes));
  for (std::size_t i = 0; i < count; ++i)
    times[i] = header.step_microseconds[(end - 1 - i) % kNumStepTimes].load(std::memory_order_relaxed);
  if (count == 0) return {};
  const double deadline = 1e6 * model.stride_samples / model.sample_rate;
  const auto last = times.begin() + static_cast<std::ptrdiff_t>(count);
  const double mean = std::accumulate(times.begin(), last, 0.0) / static_cast<double>(count);
  std::sort(times.begin(), last);
  const auto rank = static_cast<std::size_t>(0.99 * static_cast<double>(count - 1));
  return {static_cast<int>(count), mean / deadline, times[rank] / deadline};
}

}  // namespace stemlane
