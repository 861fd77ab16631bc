// SPDX-License-Identifier: MIT
// Stems that come through shared memory, whoever writes them there.
#pragma once

#include <algorithm>
#include <array>
#include <memory>
#include <string>
#include <utility>

#include "link/engine_link.h"
#include "link/shared_audio.h"
#include "stream/stem_source.h"

namespace stemlane {

class LinkedSource : public StemSource {
 public:
  /// Memory for a stream; null, with `error` set, if the system refuses.
  static std::shared_ptr<SharedAudio> make_memory(const SourceSetup& setup, std::string& error);

  LinkedSource(std::shared_ptr<SharedAudio> memory, const ModelDescriptor& model) noexcept
      : memory_(std::move(memory)), host_(*memory_) {
    std::copy(model.stems.begin(), model.stems.end(), focus_planes_.begin());
    focus_planes_[model.stems.size()] = model.residual;
  }

  void begin_generation(std::int64_t position) noexcept override { host_.begin_generation(position); }
  void write_mixture(std::int64_t position, const float* const* mixture, int num_samples) noexcept override {
    host_.write_mixture(position, mixture, num_samples);
  }
  void write_focus(std::int64_t position, int num_samples, const StemFocus& focus) noexcept override {
    StemFocus values{};
    for (std::size_t plane = 0; plane < values.size(); ++plane)
      values[plane] = focus[static_cast<std::size_t>(focus_planes_[plane])];
    host_.write_focus(position, num_samples, values.data());
  }
  StemRange range() const noexcept override {
    const HostEnd::Range range = host_.stems_range();
    return {range.begin, range.end};
  }
  /// The other side could write meanwhile: what has been copied is what counts.
  void read(int stem, int channel, std::int64_t position, float* target,
            int num_samples) const noexcept override {
    memory_->stems().read(stem * memory_->num_channels() + channel, position, target, num_samples);
  }
  void expect_blocks(int num_samples) noexcept override { host_.expect_blocks(num_samples); }
  void set_offline(bool offline) noexcept override { host_.set_offline(offline); }
  void set_wanted(bool wanted, std::int64_t resume_position) noexcept override {
    host_.set_wanted(wanted, resume_position);
  }

  SharedAudio& memory() const noexcept { return *memory_; }

 protected:
  HostEnd& host() noexcept { return host_; }
  const std::shared_ptr<SharedAudio>& shared_memory() const noexcept { return memory_; }

 private:
  std::shared_ptr<SharedAudio> memory_;
  HostEnd host_;
  std::array<int, kNumStems> focus_planes_{};  ///< the stem of each plane
};

}  // namespace stemlane
