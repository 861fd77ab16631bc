// SPDX-License-Identifier: MIT
// The engine's bytes are not trusted: whatever it writes, the music goes on in time.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "hostile_engine.h"

using namespace stemlane;

TEST_CASE("numbers that are no sound are not heard, and the state says why") {
  for (const float damage : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                             -std::numeric_limits<float>::infinity(), 1e30F, -2e6F}) {
    StemStream stream;
    StreamConfig config;
    config.origin = kLinked;
    config.model = fake_model();
    stream.prepare(config);
    FakeSeparator separator(*shared_audio(stream), config.model);
    const Audio in = noise(2, 512);
    Audio out(2, 512);
    for (int i = 0; i < 20; ++i) {
      stream.process(
          {in.pointers.data(), out.pointers.data(), 512, {0.0F, 4.0F, 1.0F, 1.0F, 1.0F, 1.0F}, {}});
      separator.run();
    }
    // One sample in the middle of the ring's part that is read next.
    for (int i = 0; i < 512; ++i)
      *shared_audio(stream)->stems().at(3, 20 * 512 - stream.latency_samples() + i) = damage;
    stream.process({in.pointers.data(), out.pointers.data(), 512, {0.0F, 4.0F, 1.0F, 1.0F, 1.0F, 1.0F}, {}});
    for (const auto& channel : out.samples)
      for (const float sample : channel) REQUIRE(std::abs(sample) <= 1.0F);  // the mixture
  }
}

TEST_CASE("whatever the engine writes, the output is sound, in time, and recovers") {
  // A fixed share of what the fuzzer does in its own run.
  for (unsigned seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    CHECK(attack(random_attack(seed, 600)).empty());
  }
}
