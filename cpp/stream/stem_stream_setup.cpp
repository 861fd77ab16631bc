// SPDX-License-Identifier: MIT
// What the control and message threads do with a stream: setting it up, asking how it is.
#include <algorithm>
#include <bit>
#include <iomanip>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>

#include "stream/no_stems.h"
#include "stream/stem_stream.h"

namespace stemlane {
namespace {

// Blocks up to here need no new memory when a host changes its buffer size.
constexpr int kLeastMaxBlock = 4096;
// And what is announced beyond this, is split: a host that announces nonsense gets no gigabytes.
constexpr int kMostMaxBlock = 1 << 20;
bool is_usable(const ModelDescriptor& model) {
  const auto within = [](int value, int low, int high) { return value >= low && value <= high; };
  std::uint32_t seen = 0;
  for (const int stem : model.stems) {
    if (!within(stem, 0, kNumStems - 1) || stem == model.residual || ((seen >> stem) & 1U) != 0) return false;
    seen |= 1U << stem;
  }
  return !model.stems.empty() && within(model.residual, 0, kNumStems - 1) &&
         model.sample_rate >= kLowestRate && model.sample_rate <= kHighestRate &&
         within(model.stride_samples, 1, kMaxModelSamples) &&
         within(model.delay_samples, 0, kMaxModelSamples) &&
         within(model.compute_allowance_samples, 0, kMaxModelSamples);
}

void check(const StreamConfig& config) {
  if (!(config.sample_rate >= kLowestRate && config.sample_rate <= kHighestRate)) {
    std::ostringstream text;
    text << "the sample rate is " << std::setprecision(9) << config.sample_rate << " Hz, should be from "
         << kLowestRate << " to " << kHighestRate << ": choose another one in the host";
    throw std::invalid_argument(text.str());
  }
  if (config.num_channels < 1 || config.num_channels > kMaxChannels)
    throw std::invalid_argument(std::to_string(config.num_channels) +
                                " channels; mono and stereo are possible");
  if (!is_usable(config.model))
    throw std::invalid_argument("model '" + config.model.name + "' has no usable description");
}

}  // namespace

StemStream::StemStream() : source_(std::make_unique<NoStems>()) {}
StemStream::~StemStream() = default;

void StemStream::prepare(const StreamConfig& wanted) {
  check(wanted);
  StreamConfig config = wanted;
  config.model = at_rate(wanted.model, wanted.sample_rate);
  config.max_block_samples = static_cast<int>(std::bit_ceil(
      static_cast<unsigned>(std::clamp(wanted.max_block_samples, kLeastMaxBlock, kMostMaxBlock))));
  StreamConfig as_large = config;
  as_large.max_block_samples = std::max(config.max_block_samples, config_.max_block_samples);
  config_.announced_block_samples = config.announced_block_samples;
  if (is_prepared_ && as_large == config_) {
    source_->expect_blocks(config.announced_block_samples);
    reset();
    return;
  }
  is_prepared_ = false;
  source_ = std::make_unique<NoStems>();  // the old one ends before another begins
  config_ = config;
  latency_ = latency_sum(config.model, config.sample_rate);
  core_.prepare(config, latency_.total());
  const std::int64_t warm_up =
      latency_.total() + latency_.delay + static_cast<std::int64_t>(kWarmUpSeconds * config.sample_rate);
  sleep_.prepare(config.sleep_after_seconds * config.sample_rate, latency_.total(), warm_up,
                 2 * kFadeReserveSamples);
  lateness_.prepare(config.sample_rate, latency_.total());
  offline_wait_.prepare(config.offline_timeout_seconds);

  board_.publish(EngineState::starting, "");
  if (config.origin != nullptr) {
    const SourceSetup setup{
        config.model, config.sample_rate, config.num_channels, config.max_block_samples, latency_, warm_up};
    if (auto source = config.origin->open(setup, board_)) {
      source_ = std::move(source);
      source_->expect_blocks(config.announced_block_samples);
      is_prepared_ = true;
    }
  }
  reset();
}

StreamStatus StemStream::status() const {
  StreamStatus status;
  status.num_late = lateness_.num_late();
  status.state = board_.state();
  status.text = board_.text();
  if (board_.forked()) return status;
  const std::int64_t position = position_.load(std::memory_order_relaxed);
  if (status.state == EngineState::ready && lateness_.is_late(position)) {
    status.state = EngineState::late;
    status.text =
        "stems are late: choose a lighter model or a smaller buffer, or leave it more of the processor";
  }
  if (invalid_shown_.is_shown(position)) {
    status.state = EngineState::failed;
    status.text = kInvalidStemsText;
  }
  if (std::string error = offline_wait_.error(); !error.empty()) {
    status.state = EngineState::failed;
    status.text = std::move(error);
  }
  return status;
}

}  // namespace stemlane
