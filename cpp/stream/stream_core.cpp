// SPDX-License-Identifier: MIT
// See stream_core.h.
#include "stream/stream_core.h"

#include <algorithm>
#include <bit>

#include "core/latency.h"

namespace stemlane {
namespace {

// Generations start at multiples of this, so that strides rarely straddle the ring's end.
constexpr std::int64_t kGenerationGrid = 8192;

// 120 dB above full scale: what is louder, infinite or not a number is no stem.
constexpr float kLoudestStem = 1048576.0F;

bool is_sound(const float* samples, int num_samples) noexcept {
  // Without their sign, floats are in the order of their bits; NaN is above infinity. Comparing as
  // signed numbers and collecting the answers is what every processor does on many at once.
  constexpr auto kLoudest = std::bit_cast<std::int32_t>(kLoudestStem);
  std::int32_t louder = 0;
  for (int i = 0; i < num_samples; ++i)
    louder |= static_cast<std::int32_t>((std::bit_cast<std::int32_t>(samples[i]) & 0x7FFFFFFF) > kLoudest);
  return louder == 0;
}

void shorten_to(MixPiece& piece, std::int64_t end) noexcept {
  piece.num_samples = static_cast<int>(std::min<std::int64_t>(piece.num_samples, end - piece.position));
}

}  // namespace

void StreamCore::prepare(const StreamConfig& config, std::int64_t latency_samples) {
  model_ = config.model;
  num_channels_ = config.num_channels;
  gains_at_output_ = config.gains_at_output;
  latency_ = latency_samples;
  delayed_.prepare(config.num_channels, latency_samples, config.max_block_samples);
  std::vector<int> stems = model_.stems;
  stems.push_back(model_.residual);
  gains_.prepare(latency_samples + config.max_block_samples, stems);
  input_position_ = 0;
  generation_start_ = -1;
}

std::int64_t StreamCore::begin_generation() noexcept {
  // A generation is known by its start, so no two start at the same place.
  const std::int64_t earliest = std::max(input_position_, generation_start_ + 1);
  input_position_ = (earliest + kGenerationGrid - 1) / kGenerationGrid * kGenerationGrid;
  generation_start_ = input_position_;
  output_position_ = input_position_ - latency_;
  delayed_.clear();
  snap_gains_ = true;
  available_ = 1.0F;
  return generation_start_;
}

void StreamCore::push(const StreamBlock& block, std::int64_t ramp_samples) noexcept {
  if (block.num_samples == 0) return;
  if (snap_gains_) {
    gains_.reset(block.gains);
    snap_gains_ = false;
  }
  gains_.set(gains_at_output_ ? output_position_ : input_position_, ramp_samples, block.gains);
  delayed_.write(input_position_, block.in, block.num_samples);
  input_position_ += block.num_samples;
}

void StreamCore::begin_pull(const StreamBlock& block) const noexcept {
  for (int channel = 0; channel < num_channels_; ++channel)
    delayed_.read(channel, output_position_, block.out[channel], block.num_samples);
  for (int stem = 0; stem < kNumStems; ++stem) {
    float* const* target = block.stem_out[static_cast<std::size_t>(stem)];
    if (target == nullptr || model_.has_stem(stem)) continue;
    for (int channel = 0; channel < num_channels_; ++channel)
      std::fill_n(target[channel], block.num_samples, 0.0F);
  }
}

StreamCore::Piece StreamCore::mix(const StreamBlock& block, int offset, const StemSource& source,
                                  StemRange range, bool skip_cancelled, Meters* meters) noexcept {
  gains_.advance_to(output_position_);
  MixPiece piece;
  piece.position = output_position_;
  piece.num_samples = static_cast<int>(
      gains_.until_change(output_position_, std::min(kMixSamples, block.num_samples - offset)));
  piece.num_channels = num_channels_;
  piece.num_stems = static_cast<int>(model_.stems.size());
  piece.stems = model_.stems.data();
  piece.residual = model_.residual;
  PieceStems found = PieceStems::unheard;
  const bool looks = !skip_cancelled || audible(block, piece.num_samples);
  if (looks) found = find_stems(piece, source, range);
  for (std::size_t c = 0; c < static_cast<std::size_t>(num_channels_); ++c) {
    piece.out[c] = block.out[c] + offset;
    for (std::size_t s = 0; s < kNumStems; ++s)
      if (block.stem_out[s] != nullptr) piece.stem_out[s][c] = block.stem_out[s][c] + offset;
  }
  // Of stems that were not looked for nobody knows how loud they are.
  if (meters != nullptr && looks) meters->measure(piece, gains_);
  mixer_.mix(piece, gains_);
  output_position_ += piece.num_samples;
  return {piece.num_samples, found};
}

// Points the piece at its stems, shortens it to where their state changes, and fades
// them: out before the last one that has arrived, in again when they are back.
PieceStems StreamCore::find_stems(MixPiece& piece, const StemSource& source, StemRange range) noexcept {
  if (piece.position < generation_start_) {
    shorten_to(piece, generation_start_);
    return PieceStems::unheard;
  }
  const std::int64_t begin = std::max(range.begin, generation_start_);
  if (piece.position >= range.end || piece.position < begin) {
    if (piece.position < begin) shorten_to(piece, begin);
    available_ = 0.0F;
    return PieceStems::missing;
  }
  shorten_to(piece, range.end);
  piece.present = copy_stems(piece, source);
  if (!piece.present) {
    available_ = 0.0F;
    return PieceStems::invalid;
  }
  return fade(piece, range.end) ? PieceStems::fading : PieceStems::whole;
}

// What has been checked is what is mixed.
bool StreamCore::copy_stems(MixPiece& piece, const StemSource& source) noexcept {
  bool sound = true;
  for (int stem = 0; stem < piece.num_stems; ++stem)
    for (int channel = 0; channel < piece.num_channels; ++channel) {
      float* copy = stems_[static_cast<std::size_t>(stem)][static_cast<std::size_t>(channel)].data();
      source.read(stem, channel, piece.position, copy, piece.num_samples);
      piece.stem[static_cast<std::size_t>(stem)][static_cast<std::size_t>(channel)] = copy;
      sound = is_sound(copy, piece.num_samples) && sound;
    }
  return sound;
}

// True if the stems that end at `end` are faded at the end of the piece.
bool StreamCore::fade(MixPiece& piece, std::int64_t end) noexcept {
  constexpr float kStep = 1.0F / static_cast<float>(kFadeReserveSamples);
  if (available_ < 1.0F || end < piece.position + piece.num_samples - 1 + kFadeReserveSamples) {
    for (int i = 0; i < piece.num_samples; ++i) {
      const auto left = static_cast<float>(end - piece.position - i) * kStep;
      available_ = std::min({1.0F, left, available_ + kStep});
      availability_[static_cast<std::size_t>(i)] = available_;
    }
    piece.availability = availability_.data();
  }
  return available_ < 1.0F;
}

bool StreamCore::stems_suffice(const StreamBlock& block, StemRange range) noexcept {
  const std::int64_t end = output_position_ + block.num_samples;
  if (end <= generation_start_ || block.num_samples == 0) return true;
  if (range.end >= end + kFadeReserveSamples) return true;
  gains_.advance_to(output_position_);
  return !audible(block, block.num_samples);
}

// True if stems make a difference to the next `num_samples` samples that go out.
bool StreamCore::audible(const StreamBlock& block, int num_samples) const noexcept {
  return block.takes_stems() ||
         !gains_.all_equal(model_.stems, model_.residual, output_position_, output_position_ + num_samples);
}

}  // namespace stemlane
