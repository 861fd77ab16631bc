// SPDX-License-Identifier: MIT
// Stems that the owner of the stream separates itself, in the same process and thread: for files
// and scripts.
#pragma once

#include <algorithm>
#include <bit>
#include <vector>

#include "core/sample_ring.h"
#include "stream/stem_source.h"

namespace stemlane {

/// One thread.
class InProcessSource final : public StemSource {
 public:
  explicit InProcessSource(const SourceSetup& setup) : num_channels_(setup.num_channels) {
    // What goes out lies up to a latency and a block behind what comes in.
    const std::int64_t kept = std::int64_t{setup.latency.total()} + 2 * std::int64_t{setup.max_block_samples};
    const auto capacity = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(kept)));
    const int num_planes = static_cast<int>(setup.model.stems.size()) * num_channels_;
    memory_.assign(static_cast<std::size_t>(num_planes * capacity), 0.0F);
    ring_ = SampleRing(memory_.data(), num_planes, capacity);
  }

  void begin_generation(std::int64_t position) noexcept override { begin_ = end_ = mixture_end_ = position; }
  void write_mixture(std::int64_t position, const float* const*, int num_samples) noexcept override {
    mixture_end_ = position + num_samples;
  }
  StemRange range() const noexcept override { return {std::max(begin_, end_ - ring_.capacity()), end_}; }
  void read(int stem, int channel, std::int64_t position, float* target,
            int num_samples) const noexcept override {
    ring_.read(stem * num_channels_ + channel, position, target, num_samples);
  }

  /// Samples of the mixture whose stems have not been put.
  std::int64_t num_unanswered() const noexcept { return mixture_end_ - end_; }

  /// Appends stems, planar (stems, channels, num_samples); at most `num_unanswered` samples.
  /// False, and nothing is taken, otherwise.
  [[nodiscard]] bool put(const float* stems, std::int64_t num_samples) noexcept {
    if (num_samples < 0 || num_samples > num_unanswered()) return false;
    for (std::int64_t done = 0; done < num_samples;) {
      const std::int64_t size = std::min(num_samples - done, ring_.capacity());
      for (int plane = 0; plane < ring_.num_planes(); ++plane)
        ring_.write(plane, end_, stems + plane * num_samples + done, size);
      end_ += size;
      done += size;
    }
    return true;
  }

 private:
  int num_channels_;
  std::vector<float> memory_;
  SampleRing ring_;
  std::int64_t begin_ = 0;
  std::int64_t end_ = 0;
  std::int64_t mixture_end_ = 0;
};

class InProcessOrigin final : public StemOrigin {
 public:
  std::unique_ptr<StemSource> open(const SourceSetup& setup, EngineBoard&) const override {
    return std::make_unique<InProcessSource>(setup);
  }
};

}  // namespace stemlane
