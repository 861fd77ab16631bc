// SPDX-License-Identifier: MIT
// The audio thread's work, block by block; see stem_stream.h for who may call what.
#include "stem_stream.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace stemlane {
namespace {

// Blocks up to here need no new memory when a host changes its buffer size.
constexpr int kLeastMaxBlock = 4096;
// Backlog that an engine may work off after a start, beyond the latency.
constexpr double kBacklogSeconds = 1.0;
// Generations start at multiples of this, so that strides rarely straddle the ring's end.
constexpr std::int64_t kGenerationGrid = 8192;
// How long `late` stays visible.
constexpr double kLateSeconds = 2.0;
constexpr std::int64_t kWaitNanoseconds = 5'000'000;

bool is_finite(const float* samples, int num_samples) noexcept {
  std::uint32_t worst = 0;
  for (int i = 0; i < num_samples; ++i)
    worst = std::max(worst, std::bit_cast<std::uint32_t>(samples[i]) & 0x7F800000U);
  return worst != 0x7F800000U;
}

float peak_of(const float* samples, int num_samples) noexcept {
  float peak = 0.0F;
  for (int i = 0; i < num_samples; ++i) peak = std::max(peak, std::abs(samples[i]));
  return peak;
}

void check(const StreamConfig& config) {
  if (!(config.sample_rate >= 1000.0 && config.sample_rate <= 768'000.0))
    throw std::invalid_argument("sample rate " + std::to_string(config.sample_rate) +
                                " Hz; 1000 to 768000 Hz are possible");
  if (config.num_channels < 1 || config.num_channels > kMaxChannels)
    throw std::invalid_argument(std::to_string(config.num_channels) +
                                " channels; mono and stereo are possible");
  if (config.model.stride_samples < 1 || config.model.stems.empty() || config.model.residual < 0)
    throw std::invalid_argument("model '" + config.model.name + "' has no usable description");
}

}  // namespace

StemStream::StemStream() : process_generation_(fork_generation()) {}
StemStream::~StemStream() = default;

void StemStream::prepare(const StreamConfig& wanted) {
  check(wanted);
  StreamConfig config = wanted;
  config.max_block_samples = static_cast<int>(
      std::bit_ceil(static_cast<unsigned>(std::max(wanted.max_block_samples, kLeastMaxBlock))));
  if (config == config_ && host_ != nullptr) {
    reset();
    return;
  }
  engine_.reset();
  host_.reset();
  config_ = config;
  latency_ = latency_sum(config.model, config.sample_rate);
  delayed_.prepare(config.num_channels, latency_.total(), config.max_block_samples);

  // The engine leaves an older backlog than half the ring alone; see engine_link.h.
  const auto backlog = static_cast<std::int64_t>(kBacklogSeconds * config.sample_rate);
  const std::int64_t half = latency_.total() + config.max_block_samples + backlog;
  const auto capacity = static_cast<std::int64_t>(std::bit_ceil(static_cast<std::uint64_t>(2 * half)));
  memory_ = SharedAudio::create(config.num_channels, static_cast<int>(config.model.stems.size()),
                                capacity, memory_error_);
  if (memory_ != nullptr) {
    host_ = std::make_unique<HostEnd>(*memory_);
    input_position_ = 0;
  }
  reset();
  if (host_ != nullptr && !config.engine_executable.empty())
    engine_ = std::make_unique<EngineProcess>(
        EngineLaunch{config.engine_executable, config.model, config.sample_rate, config.num_channels},
        memory_);
}

void StemStream::reset() noexcept {
  input_position_ = (input_position_ + kGenerationGrid - 1) / kGenerationGrid * kGenerationGrid;
  generation_start_ = input_position_;
  output_position_ = input_position_ - latency_.total();
  delayed_.clear();
  snap_gains_ = true;
  available_ = 1.0F;
  missing_ = false;
  offline_failed_ = false;
  failures_at_reset_ = engine_ != nullptr ? engine_->num_failures() : 0;
  late_until_.store(0, std::memory_order_relaxed);
  offline_error_set_.store(false, std::memory_order_relaxed);
  if (host_ != nullptr && !forked()) host_->begin_generation(input_position_);
}

void StemStream::process(const StreamBlock& block) noexcept {
  const DenormalGuard guard;
  const bool offline = offline_.load(std::memory_order_relaxed) && engine_ != nullptr && !forked();
  if (engine_ != nullptr && !forked()) host_->set_offline(offline);

  std::array<const float*, kMaxChannels> in{};
  std::array<float*, kMaxChannels> out{};
  std::array<std::array<float*, kMaxChannels>, kNumStems> stem_out{};
  StreamBlock part = block;
  for (int done = 0; done < block.num_samples; done += part.num_samples) {
    part.num_samples = std::min(block.num_samples - done, config_.max_block_samples);
    for (std::size_t c = 0; c < static_cast<std::size_t>(config_.num_channels); ++c) {
      in[c] = block.in[c] + done;
      out[c] = block.out[c] + done;
      for (std::size_t s = 0; s < kNumStems; ++s)
        if (block.stem_out[s] != nullptr) stem_out[s][c] = block.stem_out[s][c] + done;
    }
    part.in = in.data();
    part.out = out.data();
    for (std::size_t s = 0; s < kNumStems; ++s)
      part.stem_out[s] = block.stem_out[s] != nullptr ? stem_out[s].data() : nullptr;

    if (offline) {
      const std::int64_t oldest = input_position_ + part.num_samples - host_->capacity() / 2;
      wait_until([&] { return generation_start_ > oldest || host_->stems_range().end > oldest; });
    }
    push(part, block.num_samples);
    if (offline) {
      host_->wake_engine();
      wait_until([&] { return stems_ready(part); });
    }
    pull(part);
  }
}

void StemStream::push(const StreamBlock& block) noexcept { push(block, block.num_samples); }

void StemStream::push(const StreamBlock& block, std::int64_t ramp_samples) noexcept {
  if (block.num_samples == 0) return;
  if (snap_gains_) {
    gains_.reset(block.gains);
    snap_gains_ = false;
  }
  gains_.set(input_position_, ramp_samples, block.gains);
  delayed_.write(input_position_, block.in, block.num_samples);
  if (host_ != nullptr && !forked()) host_->write_mixture(input_position_, block.in, block.num_samples);
  input_position_ += block.num_samples;
  position_.store(input_position_, std::memory_order_relaxed);
}

void StemStream::pull(const StreamBlock& block) noexcept {
  HostEnd::Range range;
  if (host_ != nullptr && !offline_failed_ && !forked()) range = host_->stems_range();
  for (int channel = 0; channel < config_.num_channels; ++channel)
    delayed_.read(channel, output_position_, block.out[channel], block.num_samples);
  for (int stem = 0; stem < kNumStems; ++stem) {
    float* const* target = block.stem_out[static_cast<std::size_t>(stem)];
    if (target == nullptr || config_.model.has_stem(stem)) continue;
    for (int channel = 0; channel < config_.num_channels; ++channel)
      std::fill_n(target[channel], block.num_samples, 0.0F);
  }
  for (int offset = 0; offset < block.num_samples;) offset += mix_piece(block, offset, range);
}

// Mixes from `offset` on as far as one set of ramps and one stretch of ring reach.
int StemStream::mix_piece(const StreamBlock& block, int offset, HostEnd::Range range) noexcept {
  const ModelDescriptor& model = config_.model;
  gains_.advance_to(output_position_);
  MixPiece piece;
  piece.position = output_position_;
  piece.num_samples = static_cast<int>(gains_.until_change(
      output_position_, std::min(kMixSamples, block.num_samples - offset)));
  piece.num_channels = config_.num_channels;
  piece.num_stems = static_cast<int>(model.stems.size());
  piece.stems = model.stems.data();
  piece.residual = model.residual;
  find_stems(piece, range);
  for (std::size_t c = 0; c < static_cast<std::size_t>(config_.num_channels); ++c) {
    piece.out[c] = block.out[c] + offset;
    for (std::size_t s = 0; s < kNumStems; ++s)
      if (block.stem_out[s] != nullptr) piece.stem_out[s][c] = block.stem_out[s][c] + offset;
  }
  if (meters_.load(std::memory_order_relaxed)) measure(piece);
  mixer_.mix(piece, gains_);
  output_position_ += piece.num_samples;
  return piece.num_samples;
}

// Points the piece at its stems, shortens it to where their state changes, and fades
// them: out before the last one that has arrived, in again when they are back.
void StemStream::find_stems(MixPiece& piece, HostEnd::Range range) noexcept {
  const std::int64_t begin = std::max(range.begin, generation_start_);
  const auto shorten_to = [&](std::int64_t end) {
    piece.num_samples = static_cast<int>(std::min<std::int64_t>(piece.num_samples, end - piece.position));
  };
  if (piece.position < generation_start_) {
    shorten_to(generation_start_);
    return;
  }
  if (piece.position >= range.end || piece.position < begin) {
    if (piece.position < begin) shorten_to(begin);
    available_ = 0.0F;
    note_missing(true);
    return;
  }
  shorten_to(range.end);
  piece.num_samples = static_cast<int>(host_->contiguous(piece.position, piece.num_samples));
  piece.present = true;
  for (int stem = 0; stem < piece.num_stems; ++stem)
    for (int channel = 0; channel < piece.num_channels; ++channel) {
      const float* samples = host_->stem(stem, channel, piece.position);
      piece.stem[static_cast<std::size_t>(stem)][static_cast<std::size_t>(channel)] = samples;
      piece.present = piece.present && is_finite(samples, piece.num_samples);
    }
  if (!piece.present) {
    available_ = 0.0F;
    note_missing(true);
    return;
  }
  constexpr float kStep = 1.0F / static_cast<float>(kFadeReserveSamples);
  if (available_ < 1.0F || range.end < piece.position + piece.num_samples - 1 + kFadeReserveSamples) {
    for (int i = 0; i < piece.num_samples; ++i) {
      const auto left = static_cast<float>(range.end - piece.position - i) * kStep;
      available_ = std::min({1.0F, left, available_ + kStep});
      availability_[static_cast<std::size_t>(i)] = available_;
    }
    piece.availability = availability_.data();
  }
  note_missing(available_ < 1.0F);
}

void StemStream::note_missing(bool missing) noexcept {
  if (missing && !missing_ && engine_ != nullptr && engine_->state() == EngineState::ready) {
    num_late_.fetch_add(1, std::memory_order_relaxed);
    late_until_.store(input_position_ + static_cast<std::int64_t>(kLateSeconds * config_.sample_rate),
                      std::memory_order_relaxed);
  }
  missing_ = missing;
}

bool StemStream::stems_ready(const StreamBlock& block) noexcept {
  const std::int64_t end = output_position_ + block.num_samples;
  if (end <= generation_start_ || block.num_samples == 0) return true;
  if (host_->stems_range().end >= end + kFadeReserveSamples) return true;
  for (float* const* target : block.stem_out)
    if (target != nullptr) return false;
  gains_.advance_to(output_position_);
  return gains_.all_equal(config_.model.stems, config_.model.residual, output_position_, end);
}

// Offline only: waits until `done`, or until the engine has failed or stood still for
// too long; after that no block of this generation waits again.
template <typename Condition>
void StemStream::wait_until(Condition done) noexcept {
  using Clock = std::chrono::steady_clock;
  auto progress = Clock::now();
  std::int64_t end = host_->stems_range().end;
  while (!offline_failed_ && !done()) {
    const bool begun = host_->stems_range().end > generation_start_;
    // An engine that fails before its first stems is started once more.
    if (engine_->num_failures() - failures_at_reset_ > (begun ? 0 : 1)) {
      fail_offline(engine_->last_failure());
      return;
    }
    if (engine_->state() != EngineState::ready) engine_->start_now();
    host_->wait_for_engine(kWaitNanoseconds);
    if (const std::int64_t now = host_->stems_range().end; now != end) {
      end = now;
      progress = Clock::now();
    } else if (std::chrono::duration<double>(Clock::now() - progress).count() > config_.offline_timeout_seconds) {
      const std::string reason = "the engine made no progress for " +
                                 std::to_string(std::lround(config_.offline_timeout_seconds)) +
                                 " s and was stopped";
      engine_->give_up(reason);
      fail_offline(reason);
      return;
    }
  }
}

void StemStream::fail_offline(const std::string& reason) {
  offline_failed_ = true;
  const std::lock_guard lock(offline_mutex_);
  offline_error_ = "this render is incomplete: " + reason;
  offline_error_set_.store(true, std::memory_order_release);
}

void StemStream::measure(const MixPiece& piece) noexcept {
  const std::int64_t last = piece.position + piece.num_samples - 1;
  const auto note = [&](int stem, float peak) {
    std::atomic<float>& seen = peaks_[static_cast<std::size_t>(stem)];
    peak *= gains_.gain(stem, last);
    if (peak > seen.load(std::memory_order_relaxed)) seen.store(peak, std::memory_order_relaxed);
  };
  for (std::size_t c = 0; c < static_cast<std::size_t>(piece.num_channels); ++c) {
    std::array<float, kMixSamples> rest;
    std::memcpy(rest.data(), piece.out[c], sizeof(float) * static_cast<std::size_t>(piece.num_samples));
    for (int i = 0; piece.present && i < piece.num_stems; ++i) {
      const float* stem = piece.stem[static_cast<std::size_t>(i)][c];
      note(piece.stems[i], peak_of(stem, piece.num_samples));
      for (int n = 0; n < piece.num_samples; ++n) rest[static_cast<std::size_t>(n)] -= stem[n];
    }
    note(piece.residual, peak_of(rest.data(), piece.num_samples));
  }
}

float StemStream::take_peak(int stem) noexcept {
  return peaks_[static_cast<std::size_t>(stem)].exchange(0.0F, std::memory_order_relaxed);
}

StreamStatus StemStream::status() const {
  StreamStatus status;
  status.num_late = num_late_.load(std::memory_order_relaxed);
  if (forked()) {
    status.state = EngineState::failed;
    status.text = "this process is a fork of the one with the engine; load the plugin in it again";
    return status;
  }
  if (memory_ == nullptr && !memory_error_.empty()) {
    status.state = EngineState::failed;
    status.text = memory_error_;
    return status;
  }
  if (engine_ == nullptr) return status;
  status.state = engine_->state();
  status.text = engine_->text();
  if (status.state == EngineState::ready &&
      position_.load(std::memory_order_relaxed) < late_until_.load(std::memory_order_relaxed)) {
    status.state = EngineState::late;
    status.text = "stems are late: choose model 'mix' or a smaller buffer";
  }
  if (offline_error_set_.load(std::memory_order_acquire)) {
    const std::lock_guard lock(offline_mutex_);
    status.state = EngineState::failed;
    status.text = offline_error_;
  }
  return status;
}

}  // namespace stemlane
