// SPDX-License-Identifier: MIT
// A stream with a separator that is known in closed form: stem i is the mixture times
// `kShares[i]`, delayed by nothing, delivered in strides as a real model's would be.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <random>
#include <vector>

#include "stream/linked_source.h"
#include "stream/stem_stream.h"

inline constexpr std::array<float, 3> kShares = {0.5F, 0.25F, 0.125F};

inline stemlane::ModelDescriptor fake_model(int stride = 512, int delay = 1024, int allowance = 512) {
  return {"fake", "Fake", 44100.0, stride, delay, allowance, {0, 1, 2}, stemlane::kOtherStem};
}

/// Streams whose shared memory the test serves itself.
class LinkedOrigin final : public stemlane::StemOrigin {
 public:
  std::unique_ptr<stemlane::StemSource> open(const stemlane::SourceSetup& setup,
                                             stemlane::EngineBoard& board) const override {
    std::string error;
    auto memory = stemlane::LinkedSource::make_memory(setup, error);
    if (memory != nullptr) return std::make_unique<stemlane::LinkedSource>(std::move(memory), setup.model);
    board.publish(stemlane::EngineState::failed, error);
    return nullptr;
  }
};
inline const std::shared_ptr<const stemlane::StemOrigin> kLinked = std::make_shared<LinkedOrigin>();

/// The shared memory of a stream that has one.
inline stemlane::SharedAudio* shared_audio(const stemlane::StemStream& stream) {
  auto* linked = dynamic_cast<stemlane::LinkedSource*>(&stream.source());
  return linked != nullptr ? &linked->memory() : nullptr;
}

/// Planar audio of some channels.
struct Audio {
  Audio(int num_channels, int num_samples, float value = 0.0F)
      : samples(static_cast<std::size_t>(num_channels),
                std::vector<float>(static_cast<std::size_t>(num_samples), value)) {
    refresh();
  }
  void refresh() {
    pointers.clear();
    for (auto& channel : samples) pointers.push_back(channel.data());
  }
  std::vector<float*> from(int offset) const {
    std::vector<float*> shifted;
    for (float* pointer : pointers) shifted.push_back(pointer + offset);
    return shifted;
  }
  int num_samples() const { return static_cast<int>(samples[0].size()); }

  std::vector<std::vector<float>> samples;
  std::vector<float*> pointers;
};

inline Audio noise(int num_channels, int num_samples, unsigned seed = 1) {
  Audio audio(num_channels, num_samples);
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> amplitude(-1.0F, 1.0F);
  for (auto& channel : audio.samples)
    for (float& sample : channel) sample = amplitude(generator);
  return audio;
}

/// Serves the engine's end on the caller's thread.
class FakeSeparator {
 public:
  FakeSeparator(stemlane::SharedAudio& memory, const stemlane::ModelDescriptor& model)
      : memory_(memory), end_(memory), model_(model) {}

  /// Works off all complete strides.
  void run() {
    while (take()) deliver();
  }

  /// Takes the next strides, as many as may come together; false if they have not come yet.
  bool take() {
    using Work = stemlane::EngineEnd::Work;
    const auto next = [&] {
      return end_.next(model_.stride_samples, strides_at_once * model_.stride_samples,
                       strides_at_once * model_.stride_samples);
    };
    Work work = next();
    for (; work == Work::restart; work = next()) {
      pending_.assign(static_cast<std::size_t>(memory_.num_channels()), {});
      num_restarts += 1;
    }
    if (work == Work::none) return false;
    for (int c = 0; c < memory_.num_channels(); ++c) {
      const float* mixture = end_.mixture() + c * end_.mixture_stride();
      auto& channel = pending_[static_cast<std::size_t>(c)];
      channel.insert(channel.end(), mixture, mixture + end_.num_samples());
    }
    end_.consume();
    num_consumed += end_.num_samples();
    if (after_step) after_step(num_consumed);
    return true;
  }

  /// Hands over everything but the last `delay` samples of what has been taken.
  void deliver() {
    const auto ready = static_cast<std::int64_t>(pending_[0].size()) - model_.delay_samples;
    if (ready <= 0) return;
    const auto n = static_cast<std::size_t>(ready);
    const auto channels = pending_.size();
    std::vector<float> stems(kShares.size() * channels * n);
    for (std::size_t s = 0; s < kShares.size(); ++s)
      for (std::size_t c = 0; c < channels; ++c)
        for (std::size_t i = 0; i < n; ++i)
          stems[(s * channels + c) * n + i] =
              poison ? std::numeric_limits<float>::quiet_NaN() : kShares[s] * pending_[c][i];
    static_cast<void>(end_.write_stems(stems.data(), ready));
    for (auto& channel : pending_) channel.erase(channel.begin(), channel.begin() + ready);
  }

  const stemlane::EngineEnd& end() const noexcept { return end_; }

  std::int64_t strides_at_once = 1;  ///< that come together, and are taken at once
  std::int64_t num_consumed = 0;
  std::function<void(std::int64_t)> after_step;  ///< called with `num_consumed`
  int num_restarts = 0;
  bool poison = false;  ///< deliver NaN

 private:
  stemlane::SharedAudio& memory_;
  stemlane::EngineEnd end_;
  stemlane::ModelDescriptor model_;
  std::vector<std::vector<float>> pending_;
};
