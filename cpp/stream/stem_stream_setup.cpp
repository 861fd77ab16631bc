// SPDX-License-Identifier: MIT
// What the control and message threads do with a stream: setting it up, asking how it is.
#include <algorithm>
#include <bit>
#include <iomanip>
#include <sstream>
#include <stdexcept>

#include "stream/stem_stream.h"

namespace stemlane {
namespace {

// Blocks up to here need no new memory when a host changes its buffer size.
constexpr int kLeastMaxBlock = 4096;
// And what is announced beyond this, is split: a host that announces nonsense gets no gigabytes.
constexpr int kMostMaxBlock = 1 << 20;
// Backlog that an engine may work off after a start, beyond the latency.
constexpr double kBacklogSeconds = 1.0;
// What an engine that wakes up in the middle of music hears before the first stem that is heard. The stems of
// the embedded models are then within -30 dB of the mixture of those without the sleep.
constexpr double kWarmUpSeconds = 0.5;

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

StemStream::StemStream() : process_generation_(fork_generation()) {}
StemStream::~StemStream() = default;

void StemStream::prepare(const StreamConfig& wanted) {
  check(wanted);
  StreamConfig config = wanted;
  config.model = at_rate(wanted.model, wanted.sample_rate);
  config.max_block_samples = static_cast<int>(std::bit_ceil(
      static_cast<unsigned>(std::clamp(wanted.max_block_samples, kLeastMaxBlock, kMostMaxBlock))));
  if (host_ != nullptr) {
    StreamConfig as_large = config;
    as_large.max_block_samples = std::max(config.max_block_samples, config_.max_block_samples);
    if (as_large == config_) {
      reset();
      return;
    }
  }
  engine_.reset();
  host_.reset();
  config_ = config;
  latency_ = latency_sum(config.model, config.sample_rate);
  delayed_.prepare(config.num_channels, latency_.total(), config.max_block_samples);
  gains_.prepare(std::int64_t{latency_.total()} + config.max_block_samples);

  // The engine leaves an older backlog than half the ring alone; see engine_link.h.
  const auto backlog_of = [&](double seconds) {
    return static_cast<std::int64_t>(seconds * config.sample_rate);
  };
  warm_up_ = latency_.total() + latency_.delay + backlog_of(kWarmUpSeconds);
  const std::int64_t half = warm_up_ + config.max_block_samples + backlog_of(kBacklogSeconds);
  const auto capacity = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * half)));
  std::string error;
  memory_ =
      SharedAudio::create(config.num_channels, static_cast<int>(config.model.stems.size()), capacity, error);
  if (memory_ != nullptr) {
    host_ = std::make_unique<HostEnd>(*memory_);
    input_position_ = 0;
    generation_start_ = -1;
  }
  reset();
  if (host_ == nullptr)
    board_.publish(EngineState::failed, error);
  else if (config.engine_executable.empty())
    board_.publish(EngineState::starting, "");
  else
    board_.publish(EngineState::starting, "engine not started yet");
  if (host_ != nullptr && !config.engine_executable.empty())
    engine_ = std::make_unique<EngineProcess>(
        EngineLaunch{config.engine_executable, config.model, config.sample_rate, config.num_channels,
                     config.engine_growth_bytes},
        memory_, board_);
}

StreamStatus StemStream::status() const {
  StreamStatus status;
  status.num_late = num_late_.load(std::memory_order_relaxed);
  if (forked()) {
    status.state = EngineState::failed;
    status.text =
        "this process is a fork of the one with the engine; start workers with "
        "multiprocessing.get_context('spawn'), and load the plugin there";
    return status;
  }
  status.state = board_.state();
  status.text = board_.text();
  if (status.state == EngineState::ready &&
      position_.load(std::memory_order_relaxed) < late_until_.load(std::memory_order_relaxed)) {
    status.state = EngineState::late;
    status.text =
        "stems are late: choose a lighter model or a smaller buffer, or leave it more of the processor";
  }
  if (position_.load(std::memory_order_relaxed) < damaged_until_.load(std::memory_order_relaxed)) {
    status.state = EngineState::failed;
    status.text = kDamageText;
  }
  if (offline_error_set_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(offline_mutex_);
    status.state = EngineState::failed;
    status.text = offline_error_;
  }
  return status;
}

}  // namespace stemlane
