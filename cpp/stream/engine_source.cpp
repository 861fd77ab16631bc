// SPDX-License-Identifier: MIT
// See engine_source.h.
#include "stream/engine_source.h"

#include <exception>
#include <utility>

namespace stemlane {

EngineSource::EngineSource(EngineLaunch launch, std::shared_ptr<SharedAudio> memory, EngineBoard& board)
    : LinkedSource(std::move(memory), launch.model), engine_(std::move(launch), shared_memory(), board) {}

std::unique_ptr<StemSource> EngineOrigin::open(const SourceSetup& setup, EngineBoard& board) const {
  std::string error;
  auto memory = LinkedSource::make_memory(setup, error);
  if (memory != nullptr) {
    board.publish(EngineState::starting, "engine not started yet");
    try {
      return std::make_unique<EngineSource>(EngineLaunch{settings_.executable, setup.model, setup.sample_rate,
                                                         setup.num_channels, settings_.growth_bytes},
                                            std::move(memory), board);
    } catch (const std::exception& problem) {  // no thread, no event
      error = problem.what();
    }
  }
  board.publish(EngineState::failed, error);
  return nullptr;
}

}  // namespace stemlane
