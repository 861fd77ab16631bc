// SPDX-License-Identifier: MIT
// The audio thread's work, block by block; see stem_stream.h for who may call what.
#include "stream/stem_stream.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace stemlane {
namespace {

// Generations start at multiples of this, so that strides rarely straddle the ring's end.
constexpr std::int64_t kGenerationGrid = 8192;
// How long `late` and damage stay visible.
constexpr double kLateSeconds = 2.0;
// How long waking up may take before missing stems count as late.
constexpr double kWakeUpSeconds = 1.0;
constexpr std::int64_t kWaitNanoseconds = 5'000'000;

// 120 dB above full scale: what is louder, infinite or not a number is no stem.
constexpr float kLoudestStem = 1048576.0F;

bool is_sound(const float* samples, int num_samples) noexcept {
  // Without their sign, floats are in the order of their bits; NaN is above infinity.
  std::uint32_t worst = 0;
  for (int i = 0; i < num_samples; ++i)
    worst = std::max(worst, std::bit_cast<std::uint32_t>(samples[i]) & 0x7FFFFFFFU);
  return worst <= std::bit_cast<std::uint32_t>(kLoudestStem);
}

float peak_of(const float* samples, int num_samples) noexcept {
  float peak = 0.0F;
  for (int i = 0; i < num_samples; ++i) peak = std::max(peak, std::abs(samples[i]));
  return peak;
}

}  // namespace

void StemStream::reset() noexcept {
  // A generation is known by its start, so no two start at the same place.
  const std::int64_t earliest = std::max(input_position_, generation_start_ + 1);
  input_position_ = (earliest + kGenerationGrid - 1) / kGenerationGrid * kGenerationGrid;
  generation_start_ = input_position_;
  output_position_ = input_position_ - latency_.total();
  delayed_.clear();
  snap_gains_ = true;
  available_ = 1.0F;
  missing_ = false;
  offline_failed_ = false;
  heard_until_ = sound_until_ = input_position_;
  // An engine that fails before its first stems is started once more.
  failures_allowed_ = 1 + (engine_ != nullptr ? engine_->num_failures() : 0);
  late_until_.store(0, std::memory_order_relaxed);
  damaged_until_.store(0, std::memory_order_relaxed);
  offline_error_set_.store(false, std::memory_order_relaxed);
  if (host_ != nullptr && !forked()) host_->begin_generation(input_position_);
}

void StemStream::process(const StreamBlock& block) noexcept {
  const DenormalGuard guard;
  const bool offline = offline_.load(std::memory_order_relaxed) && engine_ != nullptr && !forked();
  if (engine_ != nullptr && !forked()) host_->set_offline(offline);
  if (host_ != nullptr && !forked()) note_listeners(block, offline);

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
    pull(part, offline);
    if (offline && damaged_ && !offline_failed_) fail_offline(kDamageText);
  }
}

// Stems are heard while the gains differ or move, where someone takes or watches them, and
// only of sound. Offline the engine never sleeps: a bounce is the same every time.
void StemStream::note_listeners(const StreamBlock& block, bool offline) noexcept {
  const ModelDescriptor& model = config_.model;
  bool heard = block.gains != last_gains_ || meters_.load(std::memory_order_relaxed);
  for (float* const* target : block.stem_out) heard = heard || target != nullptr;
  for (const int stem : model.stems)
    heard = heard || block.gains[static_cast<std::size_t>(stem)] !=
                         block.gains[static_cast<std::size_t>(model.residual)];
  last_gains_ = block.gains;
  const std::int64_t silent = input_position_ - sound_until_;
  const std::int64_t end = input_position_ + block.num_samples;
  if (heard) heard_until_ = end;
  if (has_sound(block)) sound_until_ = end;

  const std::int64_t idle = end - std::min(heard_until_, sound_until_) - latency_.total();
  const bool wanted =
      offline || static_cast<double>(idle) < config_.sleep_after_seconds * config_.sample_rate;
  if (wanted && !wanted_) {
    excuse();
    // In the middle of music the state must warm up; after silence, stems fade in before it ends.
    resume_position_ = input_position_ - (silent > warm_up_ ? 2 * kFadeReserveSamples : warm_up_);
  }
  wanted_ = wanted;
  host_->set_wanted(wanted, resume_position_);
}

bool StemStream::has_sound(const StreamBlock& block) const noexcept {
  for (int channel = 0; channel < config_.num_channels; ++channel)
    if (std::any_of(block.in[channel], block.in[channel] + block.num_samples,
                    [](float sample) { return sample != 0.0F; }))
      return true;
  return false;
}

void StemStream::push(const StreamBlock& block) noexcept {
  push(block, block.num_samples);
}

void StemStream::push(const StreamBlock& block, std::int64_t ramp_samples) noexcept {
  if (block.num_samples == 0) return;
  if (snap_gains_) {
    gains_.reset(block.gains);
    snap_gains_ = false;
  }
  gains_.set(config_.gains_at_output ? output_position_ : input_position_, ramp_samples, block.gains);
  delayed_.write(input_position_, block.in, block.num_samples);
  if (host_ != nullptr && !forked()) host_->write_mixture(input_position_, block.in, block.num_samples);
  input_position_ += block.num_samples;
  position_.store(input_position_, std::memory_order_relaxed);
}

void StemStream::pull(const StreamBlock& block) noexcept {
  pull(block, offline_.load(std::memory_order_relaxed));
}

void StemStream::pull(const StreamBlock& block, bool offline) noexcept {
  damaged_ = false;
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
  for (int offset = 0; offset < block.num_samples;) offset += mix_piece(block, offset, range, offline);
}

// Mixes from `offset` on as far as one set of ramps and one stretch of ring reach.
int StemStream::mix_piece(const StreamBlock& block, int offset, HostEnd::Range range, bool offline) noexcept {
  const ModelDescriptor& model = config_.model;
  gains_.advance_to(output_position_);
  MixPiece piece;
  piece.position = output_position_;
  piece.num_samples = static_cast<int>(
      gains_.until_change(output_position_, std::min(kMixSamples, block.num_samples - offset)));
  piece.num_channels = config_.num_channels;
  piece.num_stems = static_cast<int>(model.stems.size());
  piece.stems = model.stems.data();
  piece.residual = model.residual;
  // Offline, nobody waits for stems that cancel out: whether they are there must not be heard,
  // now or when the gains part.
  if (!offline || audible(block, piece.num_samples)) find_stems(piece, range);
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
  piece.present = copy_stems(piece);
  if (!piece.present) {
    available_ = 0.0F;
    note_missing(true);
    note_damage();
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

// The engine could write while this reads: what has been checked is what is mixed.
bool StemStream::copy_stems(MixPiece& piece) noexcept {
  bool sound = true;
  for (int stem = 0; stem < piece.num_stems; ++stem)
    for (int channel = 0; channel < piece.num_channels; ++channel) {
      float* copy = stems_[static_cast<std::size_t>(stem)][static_cast<std::size_t>(channel)].data();
      std::memcpy(copy, host_->stem(stem, channel, piece.position),
                  sizeof(float) * static_cast<std::size_t>(piece.num_samples));
      piece.stem[static_cast<std::size_t>(stem)][static_cast<std::size_t>(channel)] = copy;
      sound = is_sound(copy, piece.num_samples) && sound;
    }
  return sound;
}

void StemStream::note_damage() noexcept {
  damaged_ = true;
  damaged_until_.store(input_position_ + static_cast<std::int64_t>(kLateSeconds * config_.sample_rate),
                       std::memory_order_relaxed);
}

// An engine that has just started or woken up is excused until it has caught up once.
void StemStream::note_missing(bool missing) noexcept {
  const bool ready = engine_ != nullptr && engine_->state() == EngineState::ready;
  if (ready && !ready_) excuse();
  ready_ = ready;
  if (!missing) excused_until_ = 0;
  if (!ready || !wanted_ || input_position_ < excused_until_) missing = false;
  if (missing && !missing_) num_late_.fetch_add(1, std::memory_order_relaxed);
  if (missing)
    late_until_.store(input_position_ + static_cast<std::int64_t>(kLateSeconds * config_.sample_rate),
                      std::memory_order_relaxed);
  missing_ = missing;
}

void StemStream::excuse() noexcept {
  excused_until_ =
      input_position_ + latency_.total() + static_cast<std::int64_t>(kWakeUpSeconds * config_.sample_rate);
}

bool StemStream::stems_ready(const StreamBlock& block) noexcept {
  const std::int64_t end = output_position_ + block.num_samples;
  if (end <= generation_start_ || block.num_samples == 0) return true;
  if (host_->stems_range().end >= end + kFadeReserveSamples) return true;
  gains_.advance_to(output_position_);
  return !audible(block, block.num_samples);
}

// True if stems make a difference to the next `num_samples` samples that go out.
bool StemStream::audible(const StreamBlock& block, int num_samples) const noexcept {
  for (float* const* target : block.stem_out)
    if (target != nullptr) return true;
  return !gains_.all_equal(config_.model.stems, config_.model.residual, output_position_,
                           output_position_ + num_samples);
}

// Offline only: waits until `done`, or until the engine has failed or stood still for
// too long; after that no block of this generation waits again.
template <typename Condition>
void StemStream::wait_until(Condition done) noexcept {
  using Clock = std::chrono::steady_clock;
  auto progress = Clock::now();
  std::int64_t end = host_->stems_range().end;
  std::int64_t watched = engine_->num_failures();
  const auto has_failed = [&] {
    const std::int64_t failures = engine_->num_failures();
    // From the first stems on, none more.
    if (host_->stems_range().end > generation_start_)
      failures_allowed_ = std::min(failures_allowed_, failures);
    return failures > failures_allowed_ || (failures > 0 && engine_->refused());
  };
  has_failed();
  while (!offline_failed_ && !done()) {
    if (has_failed()) {
      fail_offline(engine_->last_failure());
      return;
    }
    if (engine_->state() != EngineState::ready) engine_->start_now();
    host_->wait_for_engine(kWaitNanoseconds);
    if (const std::int64_t now = host_->stems_range().end; now != end || engine_->num_failures() != watched) {
      end = now;
      watched = engine_->num_failures();  // another engine has all its time
      progress = Clock::now();
    } else if (std::chrono::duration<double>(Clock::now() - progress).count() >
               config_.offline_timeout_seconds) {
      const std::string reason = "the engine made no progress for " +
                                 std::to_string(std::lround(config_.offline_timeout_seconds)) +
                                 " s and was stopped";
      engine_->give_up(watched, reason);
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

}  // namespace stemlane
