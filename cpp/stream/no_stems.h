// SPDX-License-Identifier: MIT
// A source without stems: the mixture passes.
#pragma once

#include "stream/stem_source.h"

namespace stemlane {

class NoStems final : public StemSource {
 public:
  void begin_generation(std::int64_t) noexcept override {}
  void write_mixture(std::int64_t, const float* const*, int) noexcept override {}
  StemRange range() const noexcept override { return {}; }
  void read(int, int, std::int64_t, float*, int) const noexcept override {}
};

/// Also what takes the place of a source that the system refuses.
class NoStemsOrigin final : public StemOrigin {
 public:
  std::unique_ptr<StemSource> open(const SourceSetup&, EngineBoard&) const override {
    return std::make_unique<NoStems>();
  }
};

}  // namespace stemlane
