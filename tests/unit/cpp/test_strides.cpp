// SPDX-License-Identifier: MIT
// Strides that come together in real time: how many, what they leave of the time, and that stems of a host's
// any blocks still come in time.
#include <catch2/catch.hpp>

#include <random>
#include <vector>

#include "core/strides.h"
#include "link_fixture.h"
#include "stream_fixture.h"

using namespace stemlane;
using Work = EngineEnd::Work;

namespace {

constexpr StemGains kNoVocals = {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};
constexpr int kDelay = 600;

StreamConfig config_for(const ModelDescriptor& model, int announced) {
  StreamConfig config;
  config.origin = kLinked;
  config.model = model;
  config.announced_block_samples = announced;
  return config;
}

/// Plays blocks of 1 to `longest` samples, in time, to an engine that takes `num_strides` at once and
/// computes for as long as `computing` samples take; how many samples were heard with other stems than the
/// model's.
int num_wrong(const ModelDescriptor& model, int longest, std::int64_t num_strides, std::int64_t computing,
              unsigned seed) {
  StemStream stream;
  stream.prepare(config_for(model, longest));
  FakeSeparator engine(*shared_audio(stream), model);
  engine.strides_at_once = num_strides;
  std::mt19937 generator(seed);
  std::uniform_int_distribution<int> length(1, longest);
  const Audio in = noise(2, 60'000, seed);
  Audio out(2, in.num_samples());
  std::int64_t done_at = -1;  // when the step is done that is being computed; -1: none is
  for (int done = 0; done < in.num_samples();) {
    const int n = std::min(seed % 2 == 0 ? longest : length(generator), in.num_samples() - done);
    const auto inputs = in.from(done);
    const auto outputs = out.from(done);
    const StreamBlock block{inputs.data(), outputs.data(), n, kNoVocals, {}};
    const std::int64_t now = done + n;
    while (done_at >= 0 && done_at <= now) {  // what the engine has done while the block came
      engine.deliver();
      done_at = engine.take() ? done_at + computing : -1;
    }
    stream.push(block);
    while (done_at < 0 && engine.take()) {
      if (computing > 0) done_at = now + computing;
      if (computing == 0) engine.deliver();
    }
    done += n;
    stream.pull(block);
  }
  int count = 0;
  for (int i = stream.latency_samples(); i < in.num_samples(); ++i) {
    const float mixture = in.samples[0][static_cast<std::size_t>(i - stream.latency_samples())];
    count += std::abs(out.samples[0][static_cast<std::size_t>(i)] - 0.5F * mixture) > 1e-6F;
  }
  return count;
}

}  // namespace

TEST_CASE("strides come together while the allowance leaves one more and a block") {
  CHECK(strides_at_once(4096, 1024, 512) == 3);  // `mix` at 44.1 kHz
  CHECK(strides_at_once(4096, 1024, 1024) == 3);
  CHECK(strides_at_once(4096, 1024, 1025) == 2);
  CHECK(strides_at_once(4096, 1024, 2048) == 2);
  CHECK(strides_at_once(4096, 1024, 4096) == 1);
  CHECK(strides_at_once(4096, 1024, 1 << 20) == 1);
  CHECK(strides_at_once(4464, 1116, 512) == 3);  // and at 48 kHz
  CHECK(strides_at_once(1024, 1024, 1) == 1);    // `live`
  CHECK(strides_at_once(1024, 256, 512) == 2);   // `tracking`
  CHECK(strides_at_once(256, 256, 64) == 1);     // `tracking-fast`
  CHECK(strides_at_once(0, 512, 512) == 1);
  CHECK(strides_at_once(4096, 0, 512) == kMostStridesAtOnce);  // nonsense, which no division stops at
  CHECK(strides_at_once(1 << 20, 1, 512) == kMostStridesAtOnce);
  std::mt19937 generator(3);
  std::uniform_int_distribution<int> any(1, 10'000);
  for (int i = 0; i < 10'000; ++i) {
    const int allowance = any(generator), stride = any(generator), block = any(generator);
    INFO(allowance << " " << stride << " " << block);
    const std::int64_t k = strides_at_once(allowance, stride, block);
    const auto left = [&](std::int64_t strides) { return allowance - (strides - 1) * stride - block; };
    REQUIRE(k >= 1);
    REQUIRE((k == 1 || left(k) >= stride));
    REQUIRE((k == kMostStridesAtOnce || left(k + 1) < stride));
  }
}

TEST_CASE("a step's deadline is when its first stems are asked for, or the next step comes") {
  CHECK(step_deadline(1024, 1024, 1024, 4096) == 1024);  // one stride of `mix`: the next one follows
  CHECK(step_deadline(3072, 3072, 1024, 4096) == 2048);  // three: the first has waited for two
  CHECK(step_deadline(3072, 3500, 1024, 4096) == 1620);  // seen late
  CHECK(step_deadline(1024, 1024, 1024, 1024) == 1024);  // `live`
  CHECK(step_deadline(1024, 2000, 1024, 1024) == 48);
  CHECK(step_deadline(1024, 2048, 1024, 1024) == 1024);  // late anyway: it catches up
}

TEST_CASE("in real time an engine waits for its strides, offline it takes what is there") {
  Link link(8192);
  EngineEnd& engine = link.engine;
  link.write(250);
  CHECK(engine.next(100, 400, 300) == Work::none);
  CHECK(engine.num_missing() == 50);
  link.write(70);
  REQUIRE(engine.next(100, 400, 300) == Work::mixture);
  CHECK(engine.num_samples() == 300);
  CHECK(engine.step_samples() == 300);
  CHECK(engine.step_backlog() == 320);
  engine.consume();
  link.write(600);
  REQUIRE(engine.next(100, 400, 300) == Work::mixture);
  CHECK(engine.num_samples() == 400);  // as many as it can take, if they are there
  engine.consume();
  CHECK(engine.next(100, 400, 300) == Work::none);
  CHECK(engine.num_missing() == 80);
  link.host.set_offline(true);
  REQUIRE(engine.next(100, 400, 300) == Work::mixture);
  CHECK(engine.num_samples() == 200);
  engine.consume();
  link.host.set_offline(false);

  // What a cut at the ring's end has left of a stride does not wait for others.
  while (link.end() < 8120) {
    link.write(400);
    while (engine.next(100, 400, 100) == Work::mixture) engine.consume();
  }
  REQUIRE(engine.position() == 8100);
  link.write(280);
  REQUIRE(engine.next(100, 400, 300) == Work::mixture);
  CHECK(engine.num_samples() == 92);
  CHECK(engine.step_samples() == 0);
  engine.consume();
  REQUIRE(engine.next(100, 400, 300) == Work::mixture);
  CHECK(engine.num_samples() == 8);
  CHECK(engine.step_samples() == 100);
  CHECK(engine.step_backlog() == 300);
}

TEST_CASE("strides of different focus are not taken at once") {
  Link link(8192);
  while (link.end() < 2048) {
    // Of the strides' last points: 50 three times, 70 twice, 80, 50 twice.
    const std::int64_t position = link.end();
    const float other = position < 768 || position >= 1536 ? 50.0F : position < 1280 ? 70.0F : 80.0F;
    const float focus[] = {50.0F, other};
    link.host.write_focus(position, 64, focus);
    link.write(64);
  }
  std::vector<std::pair<std::int64_t, float>> taken;
  while (link.engine.next(256, 1024, 256) == Work::mixture) {
    taken.emplace_back(link.engine.num_samples(), link.engine.focus(1));
    link.engine.consume();
  }
  CHECK(taken ==
        std::vector<std::pair<std::int64_t, float>>{{768, 50.0F}, {512, 70.0F}, {256, 80.0F}, {512, 50.0F}});
}

TEST_CASE("stems come in time if a step takes no longer than its strides leave") {
  for (const auto& [stride, allowance] : {std::pair{512, 2048}, {512, 512}, {500, 2300}, {256, 1024}})
    for (const int longest : {1, 64, 441, 512, 1024, 2048}) {
      if (longest > allowance) continue;
      const ModelDescriptor model = fake_model(stride, kDelay, allowance);
      const std::int64_t k = strides_at_once(allowance, stride, longest);
      const std::int64_t left = std::max<std::int64_t>(0, allowance - (k - 1) * stride - longest);
      INFO(stride << ", " << allowance << ", blocks up to " << longest << ": " << k << " strides, " << left);
      for (const unsigned seed : {1U, 2U, 3U}) {
        CHECK(num_wrong(model, longest, k, 0, seed) == 0);
        CHECK(num_wrong(model, longest, k, std::min<std::int64_t>(left, k * stride), seed) == 0);
      }
      // The test would hear it: with what it takes to use up the allowance, stems come too late.
      if (k > 1) CHECK(num_wrong(model, longest, k, left + longest + stride + 1, 1) > 0);
    }
}

TEST_CASE("a host's longest block is known, whatever it has announced, and changes no timeline") {
  const ModelDescriptor model = fake_model(512, kDelay, 2048);
  StemStream stream;
  stream.prepare(config_for(model, 256));
  const SharedAudio* memory = shared_audio(stream);
  FakeSeparator engine(*shared_audio(stream), model);
  const auto play = [&](int num_samples) {
    const Audio in = noise(2, num_samples);
    Audio out(2, num_samples);
    const StreamBlock block{in.pointers.data(), out.pointers.data(), num_samples, kNoVocals, {}};
    stream.process(block);
  };
  CHECK(engine.end().block_samples() == 256);
  play(100);
  CHECK(engine.end().block_samples() == 256);
  play(700);
  CHECK(engine.end().block_samples() == 700);
  shared_audio(stream)->header().block_samples.store(7);  // an engine that writes anything
  play(64);
  CHECK(engine.end().block_samples() == 700);
  stream.prepare(config_for(model, 128));
  CHECK(shared_audio(stream) == memory);
  CHECK(engine.end().block_samples() == 128);
  stream.prepare(config_for(model, 0));
  play(300);
  CHECK(engine.end().block_samples() == 0);  // nothing has been announced: unknown
  CHECK(shared_audio(stream) == memory);
}
