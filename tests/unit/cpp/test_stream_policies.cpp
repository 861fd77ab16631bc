// SPDX-License-Identifier: MIT
// The parts of a stream, each alone: no engine, no threads, no clock but the music's.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "stream/in_process_source.h"
#include "stream/lateness.h"
#include "stream/meters.h"
#include "stream/no_stems.h"
#include "stream/offline_wait.h"
#include "stream/sleep.h"
#include "stream/stream_core.h"
#include "stream_fixture.h"

using namespace stemlane;

namespace {

constexpr StemGains kNoVocals = {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
constexpr std::int64_t kLatency = 1000;

/// Stems that are as the test says: each is `value`.
class ToldSource final : public StemSource {
 public:
  void begin_generation(std::int64_t position) noexcept override { start = position; }
  void write_mixture(std::int64_t, const float* const*, int) noexcept override {}
  StemRange range() const noexcept override { return told; }
  void read(int, int, std::int64_t, float* target, int num_samples) const noexcept override {
    ++num_reads;
    std::fill_n(target, num_samples, value);
  }

  std::int64_t start = -1;
  StemRange told;
  float value = 0.5F;
  mutable int num_reads = 0;
};

/// An engine that does what the test says at each wait.
class ToldEngine final : public OfflineEngine {
 public:
  bool is_ready() const noexcept override { return false; }
  void start_now() noexcept override { ++num_starts; }
  void wake() noexcept override {}
  void wait(std::int64_t) noexcept override { at_wait(++num_waits); }
  std::int64_t num_failures() const noexcept override { return failures; }
  bool refused() const noexcept override { return is_refused; }
  std::string last_failure() const override { return "it broke"; }
  void give_up(std::int64_t num_failures, const std::string&) override { given_up = num_failures; }
  std::int64_t backlog_samples() const noexcept override { return 10'000; }

  std::function<void(int)> at_wait = [](int) {};
  int num_waits = 0;
  int num_starts = 0;
  std::int64_t failures = 0;
  std::int64_t given_up = -1;
  bool is_refused = false;
};

struct MonoCore {
  MonoCore() {
    StreamConfig config;
    config.model = fake_model();
    config.num_channels = 1;
    config.max_block_samples = 256;
    core.prepare(config, kLatency);
    source.begin_generation(core.begin_generation());
  }
  /// Plays ones; returns the last sample, and counts what the pieces were.
  float play(int num_samples, const StemGains& gains, bool skip_cancelled = false) {
    std::vector<float> audio(static_cast<std::size_t>(num_samples), 1.0F);
    float* channel = audio.data();
    const StreamBlock block{&channel, &channel, num_samples, gains, {}};
    core.push(block, num_samples);
    core.begin_pull(block);
    for (int done = 0; done < num_samples;) {
      const auto piece = core.mix(block, done, source, source.range(), skip_cancelled, nullptr);
      pieces.push_back(piece.stems);
      done += piece.num_samples;
    }
    return audio.back();
  }

  StreamCore core;
  ToldSource source;
  std::vector<PieceStems> pieces;
};

}  // namespace

TEST_CASE("the core mixes what it is told is there") {
  MonoCore it;
  CHECK(it.play(200, kNoVocals) == 0.0F);  // before the beginning
  CHECK(it.pieces.back() == PieceStems::unheard);
  for (int i = 0; i < 5; ++i) it.play(200, kNoVocals);
  CHECK(it.play(200, kNoVocals) == 1.0F);  // no stems: the mixture
  CHECK(it.pieces.back() == PieceStems::missing);
  it.source.told = {it.source.start, it.source.start + 100'000};
  CHECK(it.play(200, kNoVocals) == 0.5F);
  CHECK(it.pieces.back() == PieceStems::whole);
  it.source.value = 2e6F;
  CHECK(it.play(200, kNoVocals) == 1.0F);
  CHECK(it.pieces.back() == PieceStems::invalid);
  it.source.value = 0.5F;
  it.play(200, kNoVocals);
  CHECK(it.play(200, kNoVocals) == 0.5F);
}

TEST_CASE(
    "stems that cancel out are not looked at where that is asked for, and heard from the first sample") {
  MonoCore it;
  for (int i = 0; i < 10; ++i) it.play(200, kUnityGains, true);
  CHECK(it.source.num_reads == 0);
  CHECK(
      std::all_of(it.pieces.begin(), it.pieces.end(), [](PieceStems s) { return s == PieceStems::unheard; }));
  it.source.told = {it.source.start, it.source.start + 100'000};
  for (int i = 0; i < 7; ++i) it.play(200, kNoVocals, true);
  CHECK(it.pieces.back() == PieceStems::whole);
  CHECK(std::count(it.pieces.begin(), it.pieces.end(), PieceStems::fading) == 0);
}

TEST_CASE("lateness is counted once for each time, not while the engine is excused") {
  Lateness lateness;
  lateness.prepare(1000.0, 500);  // shown for 2000 samples, excused for 1500
  lateness.note(true, false, true, 0);
  CHECK(lateness.num_late() == 0);  // no engine
  lateness.note(true, true, true, 100);
  lateness.note(true, true, true, 1599);
  CHECK(lateness.num_late() == 0);  // it has just become ready
  lateness.note(true, true, true, 1600);
  lateness.note(true, true, true, 1700);
  CHECK(lateness.num_late() == 1);
  CHECK(lateness.is_late(3699));
  CHECK_FALSE(lateness.is_late(3700));
  lateness.note(false, true, true, 1800);
  lateness.note(true, true, false, 1900);
  CHECK(lateness.num_late() == 1);  // nobody wants them
  lateness.note(true, true, true, 2000);
  CHECK(lateness.num_late() == 2);
  lateness.reset();
  CHECK_FALSE(lateness.is_late(2000));
  lateness.excuse(5000);
  lateness.note(true, true, true, 6499);
  CHECK(lateness.num_late() == 2);
}

TEST_CASE("a sleep begins when nobody has heard stems for long enough, and says where to go on") {
  Sleep sleep;
  sleep.prepare(1000.0, 200, 700, 128);
  sleep.reset(0);
  std::int64_t position = 0;
  const auto play = [&](bool heard, bool sound, bool offline = false) {
    const bool wakes = sleep.update(position, 100, heard, sound, offline);
    position += 100;
    return wakes;
  };
  for (int i = 0; i < 11; ++i) play(false, true);
  CHECK(sleep.is_wanted());
  play(false, true);
  CHECK_FALSE(sleep.is_wanted());  // 1000 and the latency after the last one
  CHECK(play(true, true));
  CHECK(sleep.resume_position() == 1200 - 700);  // in the middle of music
  for (int i = 0; i < 12; ++i) play(true, false);
  CHECK_FALSE(sleep.is_wanted());  // silence
  CHECK(play(true, true));
  CHECK(sleep.resume_position() == 2500 - 128);
  for (int i = 0; i < 12; ++i) play(false, true);
  CHECK_FALSE(sleep.is_wanted());
  CHECK(play(false, true, true));  // never offline
}

TEST_CASE("offline, waiting ends with the stems, a failure or the engine's time") {
  ToldSource source;
  source.start = 0;
  ToldEngine engine;
  OfflineWait wait;
  wait.prepare(0.0);  // any wait without progress is too long
  wait.reset(0);
  engine.at_wait = [&](int n) { source.told.end = n; };
  wait.wait_until(source, engine, 0, [&] { return source.told.end >= 5; });
  CHECK(engine.num_waits == 5);
  CHECK(engine.num_starts == 5);
  CHECK(wait.error().empty());

  engine.at_wait = [](int) {};
  wait.wait_until(source, engine, 0, [] { return false; });
  CHECK(wait.error() == "this render is incomplete: the engine made no progress for 0 s and was stopped");
  CHECK(engine.given_up == 0);
  const int num_waits = engine.num_waits;
  wait.wait_until(source, engine, 0, [] { return false; });
  CHECK(engine.num_waits == num_waits);  // no more in this generation

  // From the first stems on, no failure; before them, one.
  wait.prepare(60.0);
  wait.reset(0);
  engine.at_wait = [&](int) { ++engine.failures; };
  wait.wait_until(source, engine, 0, [] { return false; });
  CHECK(wait.error() == "this render is incomplete: it broke");
  CHECK(engine.failures == 1);
  source.told = {};
  wait.reset(engine.failures);
  wait.wait_until(source, engine, 0, [] { return false; });
  CHECK(engine.failures == 3);
  engine.is_refused = true;
  wait.reset(engine.failures);
  wait.wait_until(source, engine, 0, [] { return false; });
  CHECK(engine.failures == 3);
}

TEST_CASE("meters show the loudest sample after the faders, once") {
  GainTimeline gains;
  gains.reset({0.5F, 1.0F, 1.0F, 1.0F, 1.0F, 2.0F});
  float mixture[4] = {0.1F, -0.8F, 0.2F, 0.0F};
  const float vocals[4] = {0.0F, -0.6F, 0.1F, 0.0F};
  constexpr int kStems[] = {0};
  MixPiece piece;
  piece.num_samples = 4;
  piece.num_channels = 1;
  piece.num_stems = 1;
  piece.stems = kStems;
  piece.present = true;
  piece.stem[0][0] = vocals;
  piece.out[0] = mixture;
  Meters meters;
  meters.measure(piece, gains);
  CHECK(meters.take(0, 0) == Approx(0.3F));
  CHECK(meters.take(kOtherStem, 0) == Approx(0.4F));
  CHECK(meters.take(0, 0) == 0.0F);
}

TEST_CASE("meters and the tap follow stems that fade out, and the residual takes over") {
  GainTimeline gains;
  gains.reset(kUnityGains);
  float mixture[4] = {1.0F, 1.0F, 1.0F, 1.0F};
  const float vocals[4] = {0.5F, 0.5F, 0.5F, 0.5F};
  const float availability[4] = {0.5F, 0.25F, 0.125F, 0.0F};
  constexpr int kStems[] = {0};
  MixPiece piece;
  piece.num_samples = 4;
  piece.num_channels = 1;
  piece.num_stems = 1;
  piece.stems = kStems;
  piece.present = true;
  piece.stem[0][0] = vocals;
  piece.availability = availability;
  piece.out[0] = mixture;
  Meters meters;
  meters.set_on(true);
  REQUIRE(meters.enter());
  meters.measure(piece, gains);
  meters.leave();
  CHECK(meters.take(0, 0) == 0.25F);
  CHECK(meters.take(kOtherStem, 0) == 1.0F);
  std::vector<float> scratch;
  meters.tap().read(4, scratch, [&](int stem, int channel, const float* run) {
    for (int n = 0; n < 4; ++n) {
      const float faded = 0.5F * availability[n];
      const float wanted = channel != 0 ? 0.0F : stem == 0 ? faded : stem == kOtherStem ? 1.0F - faded : 0.0F;
      CHECK(run[n] == wanted);
    }
  });
}

TEST_CASE("meters that are switched off give their memory and what is unread back") {
  Meters meters;
  CHECK_FALSE(meters.enter());
  meters.set_on(true);
  REQUIRE(meters.tap().begin(10));
  meters.tap().end(10);
  meters.set_on(false);
  CHECK_FALSE(meters.enter());
  CHECK_FALSE(meters.tap().begin(1));
  CHECK(meters.tap().num_ready() == 0);
  meters.set_on(true);
  CHECK(meters.tap().num_ready() == 0);
  CHECK(meters.tap().begin(static_cast<int>(StemTap::kCapacity)));
}

TEST_CASE("a plane of the tap is silent wherever it has not been written, around the ring too") {
  StemTap tap;
  tap.prepare();
  const std::vector<float> loud(1000, 1.0F);
  std::vector<float> scratch;
  // Each plane is written now and then, so that what was written lies in wait for the next round.
  for (int round = 0; round < 200; ++round) {
    const int stem = round % 7;  // 6: none
    REQUIRE(tap.begin(1000));
    if (stem < kNumStems) tap.write(stem, 0, loud.data(), 1.0F, 1000);
    tap.end(1000);
    tap.read(1000, scratch, [&](int read, int channel, const float* run) {
      const float wanted = read == stem && channel == 0 ? 1.0F : 0.0F;
      if (std::any_of(run, run + 1000, [&](float sample) { return sample != wanted; }))
        FAIL("round " << round);
    });
  }
}

TEST_CASE("stems in process: as many as were pushed, kept for as long as they are needed") {
  InProcessSource source({fake_model(), 44100.0, 1, 512, latency_sum(fake_model(), 44100.0), 0});
  source.begin_generation(8192);
  CHECK(source.range().end == 8192);
  CHECK_FALSE(source.put(nullptr, 1));
  source.write_mixture(8192, nullptr, 20'000);
  CHECK_FALSE(source.put(nullptr, 20'001));
  CHECK_FALSE(source.put(nullptr, -1));
  std::vector<float> stems(3 * 20'000);
  for (std::size_t i = 0; i < stems.size(); ++i) stems[i] = static_cast<float>(i);
  REQUIRE(source.put(stems.data(), 20'000));
  CHECK(source.range().end == 28'192);
  CHECK(source.range().begin > 8192);  // longer than what is kept
  float last[2] = {};
  source.read(2, 0, 28'190, last, 2);
  CHECK(last[0] == 59'998.0F);
  CHECK(last[1] == 59'999.0F);
  source.begin_generation(40'960);
  CHECK(source.num_unanswered() == 0);
}

TEST_CASE("without stems the mixture passes at the latency") {
  StemStream stream;
  StreamConfig config;
  config.model = fake_model();
  config.origin = std::make_shared<NoStemsOrigin>();
  stream.prepare(config);
  const Audio in = noise(2, 10'000);
  Audio out(2, 10'000);
  stream.process({in.pointers.data(), out.pointers.data(), 10'000, kNoVocals, {}});
  const auto latency = static_cast<std::size_t>(stream.latency_samples());
  for (std::size_t i = latency; i < 10'000; ++i) REQUIRE(out.samples[0][i] == in.samples[0][i - latency]);
  CHECK(stream.status().num_late == 0);
}
