// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "link/engine_link.h"

using namespace stemlane;
using Work = EngineEnd::Work;

TEST_CASE("an engine never starts before its generation, wherever the host is interrupted") {
  std::string error;
  const auto memory = SharedAudio::create(1, 1, 65536, error);
  REQUIRE(memory != nullptr);
  HostEnd host(*memory);
  EngineEnd engine(*memory);
  host.begin_generation(0);
  REQUIRE(engine.next(64, 512) == Work::restart);
  const std::vector<float> mixture(1000, 1.0F);
  const float* channel = mixture.data();
  host.write_mixture(0, &channel, 1000);

  // The host has been taken off its processor in the middle of begin_generation.
  memory->header().generation_start.store(8192);
  CHECK(engine.next(64, 512) == Work::restart);
  CHECK(engine.position() == 8192);
  CHECK(engine.next(64, 512) == Work::none);
  CHECK(engine.position() == 8192);
  CHECK(host.stems_range().end < 0);  // of the last generation: none

  host.begin_generation(8192);
  CHECK(engine.next(64, 512) == Work::none);
  CHECK(host.stems_range().end == 8192);
  host.write_mixture(8192, &channel, 640);
  CHECK(engine.next(64, 512) == Work::mixture);
  CHECK(engine.position() == 8192);
  CHECK(engine.num_samples() == 512);
}
