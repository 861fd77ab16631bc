// SPDX-License-Identifier: MIT
// Offline the output is a function of the input and the automation alone.
#include <catch2/catch.hpp>

#include <algorithm>

#include "engine_fixture.h"

using namespace stemlane;

namespace {

/// Gains that begin with the block at `position`, `num_samples` long; elsewhere blocks are as they come.
struct Move {
  int position;
  int num_samples;
  StemGains gains;
};

// Gains part and meet again, at odd places, one move within the fade of another among them.
const std::vector<Move> kMoves = {
    {7'001, 256, {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F}},  {9'999, 31, {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F}},
    {20'011, 1, {0.5F, 0.5F, 2.0F, 0.5F, 0.5F, 0.5F}},   {20'044, 77, {0.7F, 0.7F, 0.7F, 0.7F, 0.7F, 0.7F}},
    {33'333, 211, {1.0F, 0.0F, 1.0F, 1.0F, 1.0F, 1.0F}}, {33'555, 3, kUnityGains},
    {51'013, 256, {0.0F, 0.0F, 0.0F, 0.0F, 0.0F, 1.0F}}, {60'101, 5, kUnityGains},
};

Audio automated_bounce(StemStream& stream, const Audio& in, unsigned seed) {
  std::mt19937 generator(seed);
  Audio out(2, in.num_samples());
  StemGains gains = kUnityGains;
  auto move = kMoves.begin();
  for (int done = 0; done < in.num_samples();) {
    int n = std::uniform_int_distribution<int>(1, 3000)(generator);
    if (move != kMoves.end() && move->position == done) {
      n = move->num_samples;
      gains = (move++)->gains;
    } else if (move != kMoves.end()) {
      n = std::min(n, move->position - done);
    }
    n = std::min(n, in.num_samples() - done);
    if (generator() % 8 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(generator() % 8));
    const auto inputs = in.from(done);
    const auto outputs = out.from(done);
    stream.process({inputs.data(), outputs.data(), n, gains, {}});
    done += n;
  }
  return out;
}

}  // namespace

TEST_CASE("offline, the engine's speed and the host's blocks change no bit while gains part and meet") {
  const Audio in = noise(2, 80'000);
  std::vector<Audio> bounces;
  for (unsigned seed = 0; seed < 12; ++seed) {
    StemStream stream;
    stream.prepare(config_for(seed % 3 == 0 ? "works" : "dawdles"));
    stream.set_offline(true);
    bounces.push_back(automated_bounce(stream, in, seed));
    CHECK(becomes_ready(stream));
    CHECK(bounces.back().samples == bounces.front().samples);
  }
  // And it is the sound: the vocals are out where they are muted.
  const auto at = static_cast<std::size_t>(8'000);
  CHECK(bounces[0].samples[0][at + 2'112] == Approx(0.5F * in.samples[0][at]).margin(1e-6));
}

TEST_CASE("a neutral bounce offline is never late, however slow the engine") {
  for (const std::string manner : {"works", "slow"}) {
    StemStream stream;
    stream.prepare(config_for(manner));
    REQUIRE(wait_for([&] { return stream.status().state == EngineState::ready; }));
    stream.set_offline(true);
    const Audio in = noise(2, 200'000);
    Audio out(2, 200'000);
    stream.process({in.pointers.data(), out.pointers.data(), 200'000, kUnityGains, {}});
    const StreamStatus status = stream.status();
    CHECK(status.state == EngineState::ready);
    CHECK(status.num_late == 0);
    CHECK(status.text == "running");
  }
}
