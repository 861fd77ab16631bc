// SPDX-License-Identifier: MIT
// The audio thread's work, block by block; see stem_stream.h for who may call what.
#include "stream/stem_stream.h"

#include <algorithm>

namespace stemlane {

void StemStream::reset() noexcept {
  const std::int64_t start = core_.begin_generation();
  sleep_.reset(start);
  lateness_.reset();
  OfflineEngine* const engine = source_->offline_engine();
  offline_wait_.reset(engine != nullptr ? engine->num_failures() : 0);
  invalid_shown_.clear();
  source_->begin_generation(start);
}

void StemStream::process(const StreamBlock& block) noexcept {
  const DenormalGuard guard;
  OfflineEngine* const engine =
      offline_.load(std::memory_order_relaxed) ? source_->offline_engine() : nullptr;
  source_->set_offline(engine != nullptr);
  note_listeners(block, engine != nullptr);

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
    process_part(part, block.num_samples, engine);
  }
}

// With an engine, offline: waits before the mixture overruns it, and for the stems.
void StemStream::process_part(const StreamBlock& part, std::int64_t ramp_samples,
                              OfflineEngine* engine) noexcept {
  const auto wait_until = [&](auto done) {
    offline_wait_.wait_until(*source_, *engine, core_.generation_start(), done);
  };
  if (engine != nullptr) {
    const std::int64_t oldest = core_.input_position() + part.num_samples - engine->backlog_samples();
    wait_until([&] { return core_.generation_start() > oldest || source_->range().end > oldest; });
  }
  push(part, ramp_samples);
  if (engine != nullptr) {
    engine->wake();
    wait_until([&] { return stems_ready(part); });
  }
  pull(part, offline_.load(std::memory_order_relaxed));
  if (engine != nullptr && invalid_stems_ && !offline_wait_.has_failed())
    offline_wait_.fail(kInvalidStemsText);
}

void StemStream::note_listeners(const StreamBlock& block, bool offline) noexcept {
  const bool heard = is_heard(block);
  last_gains_ = block.gains;
  if (sleep_.update(core_.input_position(), block.num_samples, heard, has_sound(block), offline))
    lateness_.excuse(core_.input_position());
  source_->set_wanted(sleep_.is_wanted(), sleep_.resume_position());
}

// Stems are heard while the gains differ or move, or where someone takes or watches them.
bool StemStream::is_heard(const StreamBlock& block) const noexcept {
  const auto gain = [&](int stem) { return block.gains[static_cast<std::size_t>(stem)]; };
  const ModelDescriptor& model = config_.model;
  return block.gains != last_gains_ || meters_.is_on() || block.takes_stems() ||
         std::any_of(model.stems.begin(), model.stems.end(),
                     [&](int stem) { return gain(stem) != gain(model.residual); });
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
  const std::int64_t position = core_.input_position();
  core_.push(block, ramp_samples);
  source_->write_focus(position, block.num_samples, block.focus);
  source_->write_mixture(position, block.in, block.num_samples);
  position_.store(core_.input_position(), std::memory_order_relaxed);
}

void StemStream::pull(const StreamBlock& block) noexcept {
  pull(block, offline_.load(std::memory_order_relaxed));
}

void StemStream::pull(const StreamBlock& block, bool offline) noexcept {
  invalid_stems_ = false;
  const StemRange range = offline_wait_.has_failed() ? StemRange{} : source_->range();
  Meters* const meters = meters_.enter() ? &meters_ : nullptr;
  core_.begin_pull(block);
  for (int offset = 0; offset < block.num_samples;) {
    const StreamCore::Piece piece = core_.mix(block, offset, *source_, range, offline, meters);
    note_piece(piece.stems);
    offset += piece.num_samples;
  }
  if (meters != nullptr) meters->leave();
}

void StemStream::note_piece(PieceStems stems) noexcept {
  if (stems == PieceStems::unheard) return;
  const std::int64_t position = core_.input_position();
  lateness_.note(stems != PieceStems::whole, source_->is_ready(), sleep_.is_wanted(), position);
  if (stems != PieceStems::invalid) return;
  invalid_stems_ = true;
  invalid_shown_.note(position + static_cast<std::int64_t>(kTroubleSeconds * config_.sample_rate));
}

bool StemStream::stems_ready(const StreamBlock& block) noexcept {
  return core_.stems_suffice(block, source_->range());
}

}  // namespace stemlane
