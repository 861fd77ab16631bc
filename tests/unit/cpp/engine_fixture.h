// SPDX-License-Identifier: MIT
// Streams with fake_engine as their engine: how to set one up and play it.
#pragma once

#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "processes.h"
#include "stream/engine_source.h"
#include "stream_fixture.h"

inline std::shared_ptr<const stemlane::StemOrigin> fake_engine(stemlane::EngineSettings settings = {
                                                                   FAKE_ENGINE}) {
  return std::make_shared<stemlane::EngineOrigin>(std::move(settings));
}

inline stemlane::StreamConfig config_for(const std::string& manner, double timeout_seconds = 10.0) {
  stemlane::StreamConfig config;
  config.model = fake_model();
  config.model.name = manner;
  config.origin = fake_engine();
  config.offline_timeout_seconds = timeout_seconds;
  return config;
}

// Thirty seconds are far more than any state needs; the wait ends as soon as it is there. Once is enough: a
// busy machine may have left it again.
inline bool wait_for(const std::function<bool()>& condition) {
  for (int i = 0; i < 6000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return false;
}

/// A thread of its own hears that the engine runs, maybe after the first stems have come.
inline bool becomes_ready(const stemlane::StemStream& stream) {
  return wait_for([&] { return stream.status().state == stemlane::EngineState::ready; });
}

inline constexpr stemlane::StemGains kNoVocals = {0.0F, 1.0F, 1.0F, 1.0F, 1.0F, 1.0F};

inline Audio bounce(
    stemlane::StemStream& stream, const Audio& in, int size = 512,
    const std::function<void(int)>& before_block = [](int) {}) {
  Audio out(static_cast<int>(in.samples.size()), in.num_samples());
  for (int done = 0; done < in.num_samples(); done += size) {
    before_block(done / size);
    const int n = std::min(size, in.num_samples() - done);
    const auto inputs = in.from(done);
    const auto outputs = out.from(done);
    stream.process({inputs.data(), outputs.data(), n, kNoVocals, {}});
  }
  return out;
}

inline int num_differing(const Audio& out, const Audio& in, int latency, float share, int begin, int end) {
  int count = 0;
  for (int i = std::max(begin, latency); i < end; ++i)
    count += std::abs(out.samples[0][static_cast<std::size_t>(i)] -
                      share * in.samples[0][static_cast<std::size_t>(i - latency)]) > 1e-6F;
  return count;
}

/// Plays ones, a block every 5 ms; what comes out is 1, or 0.5 without vocals. With 64
/// samples a block that is slow motion, in which a busy machine makes nothing late.
struct Player {
  explicit Player(stemlane::StemStream& played) : stream(played) {}
  float play() {
    stream.process({in.pointers.data(), out.pointers.data(), num_samples, gains, {}});
    std::this_thread::sleep_for(pause);
    return out.samples[0][static_cast<std::size_t>(num_samples - 1)];
  }
  bool hears(float value) {
    return wait_for([&] { return play() == value; });
  }

  stemlane::StemStream& stream;
  stemlane::StemGains gains = kNoVocals;
  int num_samples = 512;
  std::chrono::milliseconds pause{5};
  Audio in{2, 512, 1.0F};
  Audio out{2, 512};
};
