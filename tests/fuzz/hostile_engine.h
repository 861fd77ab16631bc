// SPDX-License-Identifier: MIT
// An engine that writes whatever bytes it is told into the shared memory while a host
// plays. `attack` runs one such program and says what the host's output did wrong.
#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "fuzz_bytes.h"
#include "stream_fixture.h"

class Attack {
 public:
  /// Runs `program`; returns what went wrong, empty if nothing did.
  std::string run(const std::vector<std::uint8_t>& program) {
    using namespace stemlane;
    Bytes bytes(program);
    // A low rate keeps the memory small: a run takes microseconds.
    config_.model = fake_model(64, 128, 64);
    config_.model.sample_rate = config_.sample_rate = 8000.0;
    config_.max_block_samples = 256;
    config_.origin = kLinked;
    stream_.prepare(config_);
    if (shared_audio(stream_) == nullptr) return "no shared memory";
    static constexpr StemGains kGains[] = {kUnityGains,
                                           {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F},
                                           {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F},
                                           {4.0F, 0.0F, 2.0F, 1.0F, 1.0F, 0.25F}};
    const auto choice = bytes.take<std::uint8_t>() % 4U;
    gains_ = kGains[choice];
    equal_gains_ = choice < 2;
    while (!bytes.empty() && problem_.empty()) step(bytes);
    static_cast<void>(stream_.status());
    if (problem_.empty()) recover();
    return problem_;
  }

 private:
  void step(Bytes& bytes) {
    using namespace stemlane;
    SharedHeader& header = shared_audio(stream_)->header();
    switch (bytes.take<std::uint8_t>() % 10U) {
      case 0:
      case 1:
        play(bytes.take<std::uint16_t>() % 700, bytes.take<std::uint8_t>());
        break;
      case 2:
        header.stems_begin.store(position(bytes));
        break;
      case 3:
        header.stems_end.store(position(bytes));
        break;
      case 4:
        header.stems_generation.store(bytes.take<std::uint8_t>() % 4U != 0 ? header.generation_start.load()
                                                                           : position(bytes));
        break;
      case 5:
        fill(bytes);
        break;
      case 6: {  // anywhere in the header, the host's part included
        const auto offset = bytes.take<std::uint16_t>() % sizeof(SharedHeader);
        reinterpret_cast<std::uint8_t*>(&header)[offset] = bytes.take<std::uint8_t>();
        break;
      }
      case 7:
        *shared_audio(stream_)->mixture().at(bytes.take<std::uint8_t>() % 2, position(bytes)) = number(bytes);
        break;
      case 8:
        stream_.reset();
        heard_.clear();
        break;
      default:
        stream_.set_meters(bytes.take<std::uint8_t>() % 2U != 0);
        static_cast<void>(stream_.take_peak(kOtherStem, 0));
    }
  }

  // Positions near the one that is played, and the ends of the world.
  std::int64_t position(Bytes& bytes) {
    using Limits = std::numeric_limits<std::int64_t>;
    const auto kind = bytes.take<std::uint8_t>() % 8U;
    const auto any = bytes.take<std::int64_t>();
    if (kind == 0) return any;
    if (kind == 1) return Limits::max() - std::abs(any % 1024);
    if (kind == 2) return Limits::min() + std::abs(any % 1024);
    // Unsigned: what the header says may be nonsense by now.
    const std::int64_t end = shared_audio(stream_)->header().mixture_end.load();
    return static_cast<std::int64_t>(static_cast<std::uint64_t>(end) +
                                     static_cast<std::uint64_t>(any % 2048));
  }

  static float number(Bytes& bytes) {
    static constexpr float kNumbers[] = {0.0F,
                                         -0.0F,
                                         1.0F,
                                         -0.5F,
                                         1e-42F,
                                         1e6F,
                                         1048576.0F,
                                         1048577.0F,
                                         1e38F,
                                         -1e38F,
                                         std::numeric_limits<float>::infinity(),
                                         -std::numeric_limits<float>::infinity(),
                                         std::numeric_limits<float>::quiet_NaN()};
    const auto kind = bytes.take<std::uint8_t>() % (std::size(kNumbers) + 1);
    return kind < std::size(kNumbers) ? kNumbers[kind] : bytes.take<float>();
  }

  void fill(Bytes& bytes) {
    const stemlane::SampleRing& ring = shared_audio(stream_)->stems();
    const float value = number(bytes);
    const auto plane = bytes.take<std::uint8_t>() % ring.num_planes();
    std::int64_t at = position(bytes) & (ring.capacity() - 1);
    for (int left = bytes.take<std::uint16_t>() % 4096; left > 0; --left) {
      *ring.at(plane, at) = value;
      at = (at + 1) & (ring.capacity() - 1);
    }
  }

  // One block of noise between -1 and 1, checked against what must hold whatever the engine does.
  void play(int num_samples, std::uint8_t flags) {
    using namespace stemlane;
    Audio audio(2, num_samples);
    for (auto& channel : audio.samples)
      for (float& sample : channel) sample = amplitude_(generator_);
    const std::vector<float> in = audio.samples[0];
    heard_.insert(heard_.end(), in.begin(), in.end());
    Audio out(2, num_samples);
    Audio stems(2, num_samples);
    StreamBlock block;
    block.in = audio.pointers.data();
    block.out = (flags & 1U) != 0 ? audio.pointers.data() : out.pointers.data();
    block.num_samples = num_samples;
    block.gains = gains_;
    if ((flags & 2U) != 0) block.stem_out[0] = stems.pointers.data();
    if ((flags & 4U) != 0) block.stem_out[kOtherStem] = stems.pointers.data();
    stream_.process(block);

    const auto first = static_cast<std::int64_t>(heard_.size()) - num_samples - stream_.latency_samples();
    for (int i = 0; i < num_samples; ++i) {
      const float mixture = first + i < 0 ? 0.0F : heard_[static_cast<std::size_t>(first + i)];
      for (int channel = 0; channel < 2; ++channel)
        if (!std::isfinite(block.out[channel][i]) ||
            !std::isfinite(stems.samples[static_cast<std::size_t>(channel)][static_cast<std::size_t>(i)]))
          problem_ = "an output sample is not finite";
      if (equal_gains_ && block.out[0][i] != gains_[0] * mixture)
        problem_ = "with equal gains the output is not the delayed mixture";
      // Three stems of 2^20 at most, their gains up to 3.75 from the residual's.
      if (std::abs(block.out[0][i] - gains_[kOtherStem] * mixture) > 3 * 3.75F * 1.001F * 1048576.0F)
        problem_ = "an output sample is louder than any sound";
    }
  }

  // After all of it, an honest engine starts anew and everything is as it should be.
  void recover() {
    using namespace stemlane;
    stream_.set_meters(false);
    stream_.reset();
    heard_.clear();
    FakeSeparator separator(*shared_audio(stream_), config_.model);
    const Audio in = noise(2, 64 * 40, 77);
    const auto latency = static_cast<std::size_t>(stream_.latency_samples());
    float expected_gain = gains_[kOtherStem];
    for (std::size_t stem = 0; stem < 3; ++stem)
      expected_gain += (gains_[stem] - gains_[kOtherStem]) * kShares[stem];
    for (int block = 0; block < 40; ++block) {
      Audio out(2, 64);
      const auto inputs = in.from(64 * block);
      stream_.process({inputs.data(), out.pointers.data(), 64, gains_, {}});
      separator.run();
      for (std::size_t i = 0; i < 64; ++i) {
        const std::size_t at = 64 * static_cast<std::size_t>(block) + i;
        const float mixture = at < latency ? 0.0F : in.samples[1][at - latency];
        if (std::abs(out.samples[1][i] - expected_gain * mixture) > 1e-5F)
          problem_ = "an honest engine is not heard again";
      }
    }
  }

  stemlane::StreamConfig config_;
  stemlane::StemStream stream_;
  stemlane::StemGains gains_{};
  bool equal_gains_ = false;
  std::vector<float> heard_;  // first channel since the last reset
  std::mt19937 generator_{1};
  std::uniform_real_distribution<float> amplitude_{-1.0F, 1.0F};
  std::string problem_;
};

inline std::string attack(const std::vector<std::uint8_t>& program) {
  return Attack().run(program);
}
