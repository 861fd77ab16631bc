// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <cmath>
#include <functional>
#include <limits>

#include "stream_fixture.h"

using namespace stemlane;

namespace {

StreamConfig config_for(const ModelDescriptor& model, double rate = 44100.0, int channels = 2,
                        int block = 512) {
  StreamConfig config;
  config.origin = kLinked;
  config.model = model;
  config.sample_rate = rate;
  config.num_channels = channels;
  config.max_block_samples = block;
  return config;
}

/// Runs `in` through the stream in blocks of the sizes that `next_size` gives.
Audio run(StemStream& stream, FakeSeparator* separator, const Audio& in, const StemGains& gains,
          const std::function<int()>& next_size) {
  Audio out(static_cast<int>(in.samples.size()), in.num_samples());
  for (int done = 0; done < in.num_samples();) {
    const int n = std::min(next_size(), in.num_samples() - done);
    const auto inputs = in.from(done);
    const auto outputs = out.from(done);
    StreamBlock block;
    block.in = inputs.data();
    block.out = outputs.data();
    block.num_samples = n;
    block.gains = gains;
    stream.push(block);
    if (separator != nullptr) separator->run();
    stream.pull(block);
    done += n;
  }
  return out;
}

std::function<int()> blocks_of(int size) {
  return [size] { return size; };
}

std::function<int()> random_blocks(unsigned seed, int largest) {
  return [generator = std::mt19937(seed), largest]() mutable {
    return std::uniform_int_distribution<int>(0, largest)(generator);
  };
}

constexpr StemGains kNoVocals = {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};

}  // namespace

TEST_CASE("equal gains give the delayed input, bit for bit, whatever the engine does") {
  for (const int channels : {1, 2})
    for (const bool served : {false, true}) {
      StemStream stream;
      stream.prepare(config_for(fake_model(), 44100.0, channels));
      FakeSeparator separator(*shared_audio(stream), fake_model());
      separator.poison = true;
      Audio in = noise(channels, 20'000);
      in.samples[0][700] = 1e-42F;  // denormal
      in.samples[0][701] = -0.0F;
      in.samples[0][702] = std::numeric_limits<float>::infinity();
      const Audio out = run(stream, served ? &separator : nullptr, in, kUnityGains, random_blocks(7, 700));
      const int latency = stream.latency_samples();
      for (std::size_t c = 0; c < in.samples.size(); ++c) {
        int num_wrong = 0;
        for (int i = 0; i < in.num_samples(); ++i) {
          const float expected = i < latency ? 0.0F : in.samples[c][static_cast<std::size_t>(i - latency)];
          num_wrong += std::bit_cast<std::uint32_t>(out.samples[c][static_cast<std::size_t>(i)]) !=
                       std::bit_cast<std::uint32_t>(expected);
        }
        CHECK(num_wrong == 0);
      }
    }
}

TEST_CASE("an impulse leaves at the reported latency and nowhere else") {
  for (const int stride : {64, 512, 3000})
    for (const int size : {1, 64, 441, 512, 4096}) {
      const ModelDescriptor model = fake_model(stride, 2 * stride, 300);
      StemStream stream;
      stream.prepare(config_for(model, 44100.0, 2, size));
      FakeSeparator separator(*shared_audio(stream), model);
      Audio in(2, 30'000);
      in.samples[0][1234] = 1.0F;
      const Audio out = run(stream, &separator, in, kNoVocals, blocks_of(size));
      const auto expected = static_cast<std::size_t>(1234 + stream.latency_samples());
      for (std::size_t i = 0; i < out.samples[0].size(); ++i)
        if (out.samples[0][i] != (i == expected ? 0.5F : 0.0F))
          FAIL("sample " << i << " is " << out.samples[0][i]);
      CHECK(out.samples[0][expected] == 0.5F);
    }
}

TEST_CASE("any block pattern gives the same output") {
  const Audio in = noise(2, 60'000);
  std::vector<Audio> outputs;
  for (const auto& sizes :
       {blocks_of(512), blocks_of(1), blocks_of(441), blocks_of(4096), random_blocks(3, 1500)}) {
    StemStream stream;
    stream.prepare(config_for(fake_model(), 44100.0, 2, 4096));
    FakeSeparator separator(*shared_audio(stream), fake_model());
    outputs.push_back(run(stream, &separator, in, {0.0F, 2.0F, 0.5F, 1.0F, 1.0F, 0.7F}, sizes));
  }
  for (const Audio& output : outputs) CHECK(output.samples == outputs[0].samples);
}

TEST_CASE("a gain acts on the samples that it came with") {
  StemStream stream;
  stream.prepare(config_for(fake_model()));
  FakeSeparator separator(*shared_audio(stream), fake_model());
  const Audio in(1 + 1, 8192, 1.0F);
  const int latency = stream.latency_samples();
  std::vector<float> out;
  for (int k = 0; k < 16; ++k) {
    Audio piece(2, 512);
    const auto inputs = in.from(512 * k);
    StreamBlock block{inputs.data(), piece.pointers.data(), 512, k < 8 ? kUnityGains : kNoVocals, {}};
    stream.push(block);
    separator.run();
    stream.pull(block);
    out.insert(out.end(), piece.samples[0].begin(), piece.samples[0].end());
  }
  for (int i = 0; i < 8192 - latency; ++i) {
    const float gain = i < 4096 ? 1.0F : i < 4608 ? 1.0F - static_cast<float>(i - 4096) / 512.0F : 0.0F;
    CHECK(out[static_cast<std::size_t>(i + latency)] == Approx(0.5F + 0.5F * gain).margin(1e-6));
  }
}

TEST_CASE("a fader that moves with each sample is followed at the longest latency as at the shortest") {
  constexpr int kSamples = 60'000;
  const auto bounce_at = [&](const ModelDescriptor& model) {
    StemStream stream;
    stream.prepare(config_for(model, 44100.0, 1));
    const int latency = stream.latency_samples();
    std::vector<float> out;
    std::mt19937 generator(4);
    std::uniform_real_distribution<float> gain(0.0F, 2.0F);
    float sample = 1.0F;
    float result = 0.0F;
    float* in = &sample;
    float* to = &result;
    for (int i = 0; i < latency + kSamples; ++i) {
      // Without stems the output is the residual's gain.
      StreamBlock block{&in, &to, 1, kUnityGains, {}};
      if (i < kSamples) block.gains[kOtherStem] = gain(generator);
      stream.process(block);
      if (i >= latency) out.push_back(result);
    }
    return out;
  };
  ModelDescriptor shortest = fake_model(64, 0, 64);
  // HTDemucs's delay and stride: 516,034 samples with what is added to them.
  ModelDescriptor longest = fake_model(88'200, 383'768, 44'002);
  StreamConfig config = config_for(longest, 44100.0, 1);
  StemStream stream;
  stream.prepare(config);
  REQUIRE(stream.latency_samples() == 516'034);
  CHECK(bounce_at(longest) == bounce_at(shortest));
}

TEST_CASE("focus travels with the samples it came with, in the model's order, and changes no equal gains") {
  ModelDescriptor model = fake_model();
  model.stems = {2, 0, 1};
  StemStream stream;
  stream.prepare(config_for(model));
  const Audio in = noise(2, 4096);
  Audio out(2, 4096);
  EngineEnd engine(*shared_audio(stream));
  REQUIRE(engine.next(512, 512) == EngineEnd::Work::restart);
  for (int done = 0; done < 4096; done += 256) {
    const auto inputs = in.from(done);
    const auto outputs = out.from(done);
    StreamBlock block;
    block.in = inputs.data();
    block.out = outputs.data();
    block.num_samples = 256;
    block.focus = {10, 20, 30, 40, 50, done < 2048 ? 60.0F : 90.0F};
    stream.push(block);
    stream.pull(block);
  }
  for (int stride = 0; stride < 8; ++stride) {
    REQUIRE(engine.next(512, 512) == EngineEnd::Work::mixture);
    CHECK(engine.focus(0) == 30.0F);
    CHECK(engine.focus(1) == 10.0F);
    CHECK(engine.focus(2) == 20.0F);
    CHECK(engine.focus(3) == (stride < 4 ? 60.0F : 90.0F));
    engine.consume();
  }
  const auto latency = static_cast<std::size_t>(stream.latency_samples());
  for (std::size_t i = latency; i < 4096; ++i) REQUIRE(out.samples[0][i] == in.samples[0][i - latency]);
}

TEST_CASE("missing stems fade to the mixture, come back, and the timeline never shifts") {
  const ModelDescriptor model = fake_model();
  StemStream stream;
  stream.prepare(config_for(model));
  FakeSeparator separator(*shared_audio(stream), model);
  const int latency = stream.latency_samples();
  const Audio in(2, 512, 1.0F);
  std::vector<float> out;
  for (int k = 0; k < 200; ++k) {
    Audio piece(2, 512);
    StreamBlock block{in.pointers.data(), piece.pointers.data(), 512, kNoVocals, {}};
    stream.push(block);
    if (k < 60 || k >= 100) separator.run();  // a pause of 40 blocks
    stream.pull(block);
    out.insert(out.end(), piece.samples[0].begin(), piece.samples[0].end());
  }
  // The mixture is 1, without vocals 0.5.
  const auto at = [&](int i) { return out[static_cast<std::size_t>(i)]; };
  CHECK(at(latency - 1) == 0.0F);
  CHECK(at(latency) == 0.5F);
  CHECK(at(60 * 512) == 0.5F);
  CHECK(at(90 * 512) == 1.0F);
  CHECK(at(110 * 512) == 0.5F);
  CHECK(at(200 * 512 - 1) == 0.5F);
  // Fades take kFadeReserveSamples: no step is larger than theirs.
  for (int i = latency + 1; i < 200 * 512; ++i)
    if (std::abs(at(i) - at(i - 1)) > 0.5F / kFadeReserveSamples + 1e-6F) FAIL("click at sample " << i);
}

TEST_CASE("a long pause makes the engine skip to the present") {
  const ModelDescriptor model = fake_model();
  StemStream stream;
  stream.prepare(config_for(model));
  FakeSeparator separator(*shared_audio(stream), model);
  separator.run();
  const Audio pause = noise(2, 200'000);
  run(stream, nullptr, pause, kNoVocals, blocks_of(512));
  const Audio in = noise(2, 20'000, 5);
  const Audio out = run(stream, &separator, in, kNoVocals, blocks_of(512));
  CHECK(separator.num_restarts >= 2);
  const int latency = stream.latency_samples();
  for (int i = 8192; i < 20'000; ++i) {
    const float input = in.samples[0][static_cast<std::size_t>(i - latency)];
    if (out.samples[0][static_cast<std::size_t>(i)] != Approx(0.5F * input).margin(1e-6))
      FAIL("sample " << i);
  }
}

TEST_CASE("after a reset nothing of the past is heard, and stale stems are discarded") {
  const ModelDescriptor model = fake_model();
  StemStream stream;
  stream.prepare(config_for(model));
  FakeSeparator separator(*shared_audio(stream), model);
  run(stream, &separator, noise(2, 10'000), kNoVocals, blocks_of(500));
  // Input that the engine has not seen yet when the reset comes.
  run(stream, nullptr, noise(2, 700), kNoVocals, blocks_of(100));
  stream.reset();
  const Audio in = noise(2, 10'000, 9);
  const Audio again = run(stream, &separator, in, kNoVocals, blocks_of(500));

  StemStream fresh;
  fresh.prepare(config_for(model));
  FakeSeparator fresh_separator(*shared_audio(fresh), model);
  CHECK(again.samples == run(fresh, &fresh_separator, in, kNoVocals, blocks_of(500)).samples);
}

TEST_CASE("stems that are not numbers are not heard") {
  const ModelDescriptor model = fake_model();
  StemStream stream;
  stream.prepare(config_for(model));
  FakeSeparator separator(*shared_audio(stream), model);
  separator.poison = true;
  const Audio in = noise(2, 10'000);
  const Audio out = run(stream, &separator, in, kNoVocals, blocks_of(512));
  const auto latency = static_cast<std::size_t>(stream.latency_samples());
  for (std::size_t i = latency; i < 10'000; ++i)
    if (out.samples[0][i] != in.samples[0][i - latency]) FAIL("sample " << i);
}

TEST_CASE("process accepts every block length, in place") {
  const ModelDescriptor model = fake_model();
  StemStream stream;
  stream.prepare(config_for(model, 44100.0, 2, 64));
  Audio audio = noise(2, 20'000);
  std::array<Audio, 6> stems = {Audio(2, 20'000), Audio(2, 20'000), Audio(2, 20'000),
                                Audio(2, 20'000), Audio(2, 20'000), Audio(2, 20'000)};
  StreamBlock block;
  block.in = audio.pointers.data();
  block.out = audio.pointers.data();
  for (std::size_t s = 0; s < 6; ++s) block.stem_out[s] = stems[s].pointers.data();
  stream.set_meters(true);
  FakeSeparator separator(*shared_audio(stream), model);
  for (const int size : {0, 1, 63, 64, 65, 5000, 20'000}) {
    separator.run();
    block.num_samples = size;
    block.gains[1] = static_cast<float>(size);
    stream.process(block);
  }
  CHECK(stream.take_peak(kOtherStem, 0) > 0.0F);
  for (std::size_t i = 0; i < 20'000; ++i)
    if (stems[3].samples[0][i] != 0.0F) FAIL("a stem that the model lacks is not silent");
}

TEST_CASE("a configuration that cannot work is refused") {
  StemStream stream;
  CHECK_THROWS_AS(stream.prepare(config_for(fake_model(), 0.0)), std::invalid_argument);
  CHECK_THROWS_AS(stream.prepare(config_for(fake_model(), std::nan(""))), std::invalid_argument);
  CHECK_THROWS_AS(stream.prepare(config_for(fake_model(), 44100.0, 3)), std::invalid_argument);
  CHECK_THROWS_AS(stream.prepare(config_for(ModelDescriptor{})), std::invalid_argument);
  CHECK_THROWS_WITH(
      stream.prepare(config_for(fake_model(), 768'000.0)),
      "the sample rate is 768000 Hz, should be from 8000 to 384000: choose another one in the host");
  CHECK_THROWS_AS(stream.prepare(config_for(fake_model(), 7999.9)), std::invalid_argument);
  CHECK_NOTHROW(stream.prepare(config_for(fake_model(), 8000.0)));
  CHECK_NOTHROW(stream.prepare(config_for(fake_model(), 384'000.0)));
  CHECK_NOTHROW(stream.prepare(config_for(fake_model(), 44100.0, 2, std::numeric_limits<int>::max())));
  CHECK_THROWS_AS(stream.prepare(config_for(fake_model(std::numeric_limits<int>::max()))),
                  std::invalid_argument);
  ModelDescriptor twice = fake_model();
  twice.stems = {0, 0};
  CHECK_THROWS_AS(stream.prepare(config_for(twice)), std::invalid_argument);
}
