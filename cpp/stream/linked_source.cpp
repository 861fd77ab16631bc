// SPDX-License-Identifier: MIT
// How large the memory is.
#include "stream/linked_source.h"

#include <bit>

namespace stemlane {
namespace {

// Backlog that an engine may work off after a start, beyond the latency.
constexpr double kBacklogSeconds = 1.0;

}  // namespace

std::shared_ptr<SharedAudio> LinkedSource::make_memory(const SourceSetup& setup, std::string& error) {
  // The engine leaves an older backlog than half the ring alone; see engine_link.h.
  const auto backlog = static_cast<std::int64_t>(kBacklogSeconds * setup.sample_rate);
  const std::int64_t half = setup.warm_up_samples + setup.max_block_samples + backlog;
  const auto capacity = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * half)));
  return SharedAudio::create(setup.num_channels, static_cast<int>(setup.model.stems.size()), capacity, error);
}

}  // namespace stemlane
