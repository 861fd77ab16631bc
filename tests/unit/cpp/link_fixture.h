// SPDX-License-Identifier: MIT
// Both ends of a link over one piece of shared memory, with a mixture of ones.
#pragma once

#include <catch2/catch.hpp>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "link/engine_link.h"

/// Mono; the engine stands at the beginning of the first generation, nothing has been written yet.
class Link {
 public:
  explicit Link(int capacity, std::int64_t start = 0, int num_stems = 1)
      : memory(make(capacity, num_stems)),
        host(*memory),
        engine(*memory),
        end_(start),
        ones_(static_cast<std::size_t>(capacity), 1.0F) {
    host.begin_generation(start);
    REQUIRE(engine.next(1, 1) == stemlane::EngineEnd::Work::restart);
  }

  /// The host's next samples.
  void write(int num_samples) {
    const float* channel = ones_.data();
    host.write_mixture(end_, &channel, num_samples);
    end_ += num_samples;
  }
  /// Position of the next sample that `write` writes.
  std::int64_t end() const { return end_; }
  /// Lets the host go on elsewhere.
  void begin_generation(std::int64_t start) {
    host.begin_generation(start);
    end_ = start;
  }

  const std::shared_ptr<stemlane::SharedAudio> memory;
  stemlane::HostEnd host;
  stemlane::EngineEnd engine;

 private:
  static std::shared_ptr<stemlane::SharedAudio> make(int capacity, int num_stems) {
    std::string error;
    std::shared_ptr<stemlane::SharedAudio> made =
        stemlane::SharedAudio::create(1, num_stems, capacity, error);
    INFO(error);
    REQUIRE(made != nullptr);
    return made;
  }

  std::int64_t end_;
  const std::vector<float> ones_;
};
