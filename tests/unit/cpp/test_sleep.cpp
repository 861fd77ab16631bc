// SPDX-License-Identifier: MIT
// The engine sleeps while nobody hears stems, and what is heard when it wakes up.
#include <catch2/catch.hpp>

#include <optional>

#include "stream_fixture.h"

using namespace stemlane;

namespace {

constexpr StemGains kNoVocals = {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
constexpr StemGains kAllHalf = {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F};
constexpr int kBlock = 441;
constexpr double kSleepAfter = 0.1;  // 10 blocks

struct Insert {
  Insert() {
    StreamConfig config;
    config.origin = kLinked;
    config.model = fake_model();
    config.max_block_samples = 4096;
    config.sleep_after_seconds = kSleepAfter;
    stream.prepare(config);
    separator.emplace(*shared_audio(stream), config.model);
  }
  /// Plays blocks of noise; appends to `in` and `out`.
  void play(int num_blocks, const StemGains& gains, bool served = true) {
    for (int i = 0; i < num_blocks; ++i) {
      const Audio piece = silent ? Audio(2, kBlock) : noise(2, kBlock, seed++);
      Audio mixed(2, kBlock);
      StreamBlock block{piece.pointers.data(), mixed.pointers.data(), kBlock, gains, {}};
      if (stem_output) block.stem_out[0] = stem.pointers.data();
      stream.process(block);
      if (served) separator->run();
      in.insert(in.end(), piece.samples[0].begin(), piece.samples[0].end());
      out.insert(out.end(), mixed.samples[0].begin(), mixed.samples[0].end());
    }
  }
  bool asleep() const { return shared_audio(stream)->header().wanted.load() == 0; }
  /// Largest deviation of the output from `share` times the delayed input in [begin, end).
  float deviation(float share, std::size_t begin, std::size_t end) const {
    const auto latency = static_cast<std::size_t>(stream.latency_samples());
    float largest = 0.0F;
    for (std::size_t i = std::max(begin, latency); i < end; ++i)
      largest = std::max(largest, std::abs(out[i] - share * in[i - latency]));
    return largest;
  }

  StemStream stream;
  std::optional<FakeSeparator> separator;
  std::vector<float> in;
  std::vector<float> out;
  bool stem_output = false;
  bool silent = false;
  Audio stem{2, kBlock};
  unsigned seed = 1;
};

}  // namespace

TEST_CASE("the engine sleeps when all gains have been equal for a while, unity or not") {
  for (const StemGains& gains : {kUnityGains, kAllHalf}) {
    Insert insert;
    insert.play(40, gains);
    CHECK(insert.asleep());
    const auto consumed = insert.separator->num_consumed;
    insert.play(40, gains);
    CHECK(insert.separator->num_consumed == consumed);
    CHECK(insert.deviation(gains[0], 0, insert.out.size()) == 0.0F);
    CHECK(insert.stream.status().num_late == 0);
  }
}

TEST_CASE("whoever hears stems keeps the engine awake") {
  SECTION("unequal gains") {
    Insert insert;
    insert.play(60, kNoVocals);
    CHECK_FALSE(insert.asleep());
  }
  SECTION("a fader that moved a moment ago and is back") {
    Insert insert;
    insert.play(40, kUnityGains);
    insert.play(1, kNoVocals);
    insert.play(5, kUnityGains);
    CHECK_FALSE(insert.asleep());
  }
  SECTION("all faders moving together") {
    Insert insert;
    for (int i = 0; i < 60; ++i) {
      const float gain = i % 2 == 0 ? 0.5F : 1.0F;
      insert.play(1, {gain, gain, gain, gain, gain, gain});
    }
    CHECK_FALSE(insert.asleep());
  }
  SECTION("a stem output") {
    Insert insert;
    insert.stem_output = true;
    insert.play(60, kUnityGains);
    CHECK_FALSE(insert.asleep());
  }
  SECTION("meters") {
    Insert insert;
    insert.stream.set_meters(true);
    insert.play(60, kUnityGains);
    CHECK_FALSE(insert.asleep());
  }
  SECTION("faders of stems that the model lacks are no stems") {
    Insert insert;
    insert.play(60, {1.0F, 1.0F, 1.0F, 0.0F, 0.5F, 1.0F});
    CHECK(insert.asleep());
  }
}

TEST_CASE("after a short sleep the engine goes on where it was, exactly") {
  Insert insert;
  insert.play(40, kUnityGains);
  REQUIRE(insert.asleep());
  const int restarts = insert.separator->num_restarts;
  const auto touched = insert.out.size();
  insert.play(40, kNoVocals);
  CHECK(insert.separator->num_restarts == restarts);
  // The fader acts on the samples it came with, over one block, and no stem is missing.
  const auto latency = static_cast<std::size_t>(insert.stream.latency_samples());
  CHECK(insert.deviation(1.0F, 0, touched + latency) == 0.0F);
  CHECK(insert.deviation(0.5F, touched + latency + kBlock, insert.out.size()) < 1e-6F);
}

TEST_CASE("after a long sleep the engine hears the last moments anew; nothing shifts, nothing clicks") {
  Insert insert;
  insert.play(1000, kUnityGains);  // ten seconds, more than the memory holds
  REQUIRE(insert.asleep());
  const int restarts = insert.separator->num_restarts;
  const auto touched = insert.out.size();
  const auto latency = static_cast<std::size_t>(insert.stream.latency_samples());
  SECTION("in time") {
    insert.play(40, kNoVocals);
    CHECK(insert.deviation(1.0F, 0, touched + latency) == 0.0F);
    CHECK(insert.deviation(0.5F, touched + latency + kBlock, insert.out.size()) < 1e-6F);
  }
  SECTION("later than the fader is due") {
    insert.play(10, kNoVocals, false);
    const auto caught_up = insert.out.size();
    insert.play(40, kNoVocals);
    CHECK(insert.deviation(1.0F, 0, caught_up + kBlock) == 0.0F);  // served after that block
    CHECK(insert.deviation(0.5F, caught_up + 2 * kBlock, insert.out.size()) < 1e-6F);
    // Between the mixture and the faded vocals lie steps of a 64th of the difference.
    for (std::size_t i = caught_up; i < caught_up + 2 * kBlock; ++i) {
      if (std::abs(insert.in[i - latency]) < 0.01F || std::abs(insert.in[i - 1 - latency]) < 0.01F) continue;
      const float share = insert.out[i] / insert.in[i - latency];
      const float before = insert.out[i - 1] / insert.in[i - 1 - latency];
      CHECK(std::abs(share - before) < 0.5F / kFadeReserveSamples + 1e-4F);
    }
  }
  CHECK(insert.separator->num_restarts == restarts + 1);
  CHECK(insert.stream.status().num_late == 0);
}

TEST_CASE("the engine sleeps in silence, whatever the gains, and the first sound afterwards is separated") {
  for (const int num_silent_blocks : {60, 1000}) {
    Insert insert;
    insert.stem_output = true;
    insert.stream.set_meters(true);
    insert.play(30, kNoVocals);
    insert.silent = true;
    insert.play(num_silent_blocks, kNoVocals);
    CHECK(insert.asleep());
    insert.silent = false;
    insert.play(40, kNoVocals);
    CHECK_FALSE(insert.asleep());
    CHECK(insert.deviation(0.5F, 0, insert.out.size()) < 1e-6F);
    CHECK(insert.stream.status().num_late == 0);
  }
}
