// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <vector>

#include "link/engine_link.h"
#include "link/poll.h"

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

TEST_CASE("an engine knows how many samples of its next stride are missing") {
  std::string error;
  const auto memory = SharedAudio::create(1, 1, 1024, error);
  REQUIRE(memory != nullptr);
  HostEnd host(*memory);
  EngineEnd engine(*memory);
  host.begin_generation(0);
  REQUIRE(engine.next(512, 512) == Work::restart);
  REQUIRE(engine.next(512, 512) == Work::none);
  CHECK(engine.num_missing() == 512);
  const std::vector<float> mixture(1000, 1.0F);
  const float* channel = mixture.data();
  host.write_mixture(0, &channel, 200);
  REQUIRE(engine.next(512, 512) == Work::none);
  CHECK(engine.num_missing() == 312);
  host.write_mixture(200, &channel, 312);
  REQUIRE(engine.next(512, 512) == Work::mixture);
  engine.consume();
  host.write_mixture(512, &channel, 20);
  REQUIRE(engine.next(512, 512) == Work::none);
  CHECK(engine.num_missing() == 492);
}

TEST_CASE("an engine finds the focus of its stride's last sample, however the host cuts its blocks") {
  for (const int block : {1, 37, 64, 333}) {
    std::string error;
    const auto memory = SharedAudio::create(1, 2, 4096, error);
    REQUIRE(memory != nullptr);
    HostEnd host(*memory);
    EngineEnd engine(*memory);
    host.begin_generation(8192);
    REQUIRE(engine.next(100, 100) == Work::restart);
    const std::vector<float> mixture(static_cast<std::size_t>(block), 1.0F);
    const float* channel = mixture.data();
    std::int64_t position = 8192;
    for (int stride = 0; stride < 50; ++stride) {
      while (engine.next(100, 100) != Work::mixture) {
        // Moves with the blocks, as a host's automation does.
        const float focus[] = {static_cast<float>(position), 50.0F, -static_cast<float>(position)};
        host.write_focus(position, block, focus);
        host.write_mixture(position, &channel, block);
        position += block;
      }
      const std::int64_t last = engine.position() + engine.num_samples() - 1;
      const std::int64_t point = last / kFocusGridSamples * kFocusGridSamples;
      const std::int64_t its_block = 8192 + (point - 8192) / block * block;
      CHECK(engine.focus(0) == static_cast<float>(its_block));
      CHECK(engine.focus(1) == 50.0F);
      CHECK(engine.focus(2) == -static_cast<float>(its_block));
      engine.consume();
    }
  }
}

TEST_CASE("an engine sleeps half the time that music takes, a twelfth of its allowance at most") {
  const Poll live(44100.0, 1024 / 44100.0);
  CHECK(live.awake(1024) == 1934996);
  CHECK(live.awake(100) == 1133786);
  CHECK(live.awake(10) == kShortestPollNanoseconds);
  CHECK(live.awake(-5000) == kShortestPollNanoseconds);
  CHECK(live.awake(std::int64_t{1} << 60) == 1934996);
  CHECK(live.idle() == kLongestIdlePollNanoseconds);
  const Poll mix(48000.0, 4458 / 48000.0);
  CHECK(mix.awake(1116) == 7739583);
  CHECK(mix.idle() == kLongestIdlePollNanoseconds);
  const Poll tracking(44100.0, 256 / 44100.0);
  CHECK(tracking.awake(256) == kShortestPollNanoseconds);
  CHECK(tracking.idle() == kShortestIdlePollNanoseconds);
}
