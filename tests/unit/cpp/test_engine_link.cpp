// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include "link/poll.h"
#include "link_fixture.h"

using namespace stemlane;
using Work = EngineEnd::Work;

TEST_CASE("an engine never starts before its generation, wherever the host is interrupted") {
  Link link(65536);
  link.write(1000);

  // The host has been taken off its processor in the middle of begin_generation.
  link.memory->header().generation_start.store(8192);
  CHECK(link.engine.next(64, 512) == Work::restart);
  CHECK(link.engine.position() == 8192);
  CHECK(link.engine.next(64, 512) == Work::none);
  CHECK(link.engine.position() == 8192);
  CHECK(link.host.stems_range().end < 0);  // of the last generation: none

  link.begin_generation(8192);
  CHECK(link.engine.next(64, 512) == Work::none);
  CHECK(link.host.stems_range().end == 8192);
  link.write(640);
  CHECK(link.engine.next(64, 512) == Work::mixture);
  CHECK(link.engine.position() == 8192);
  CHECK(link.engine.num_samples() == 512);
}

TEST_CASE("an engine knows how many samples of its next stride are missing") {
  Link link(1024);
  REQUIRE(link.engine.next(512, 512) == Work::none);
  CHECK(link.engine.num_missing() == 512);
  link.write(200);
  REQUIRE(link.engine.next(512, 512) == Work::none);
  CHECK(link.engine.num_missing() == 312);
  link.write(312);
  REQUIRE(link.engine.next(512, 512) == Work::mixture);
  link.engine.consume();
  link.write(20);
  REQUIRE(link.engine.next(512, 512) == Work::none);
  CHECK(link.engine.num_missing() == 492);
}

TEST_CASE("an engine finds the focus of its stride's last sample, however the host cuts its blocks") {
  for (const int block : {1, 37, 64, 333}) {
    Link link(4096, 8192, 2);
    for (int stride = 0; stride < 50; ++stride) {
      while (link.engine.next(100, 100) != Work::mixture) {
        // Moves with the blocks, as a host's automation does.
        const auto now = static_cast<float>(link.end());
        const float focus[] = {now, 50.0F, -now};
        link.host.write_focus(link.end(), block, focus);
        link.write(block);
      }
      const std::int64_t last = link.engine.position() + link.engine.num_samples() - 1;
      const std::int64_t point = last / kFocusGridSamples * kFocusGridSamples;
      const std::int64_t its_block = 8192 + (point - 8192) / block * block;
      CHECK(link.engine.focus(0) == static_cast<float>(its_block));
      CHECK(link.engine.focus(1) == 50.0F);
      CHECK(link.engine.focus(2) == -static_cast<float>(its_block));
      link.engine.consume();
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
