// SPDX-License-Identifier: MIT
// Stems from an engine process, which is supervised for as long as the source lives.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "host/engine_board.h"
#include "host/engine_process.h"
#include "platform/thread.h"
#include "stream/linked_source.h"

namespace stemlane {

/// In a fork of the process that made it, a source without stems: the memory is the parent's.
class EngineSource final : public LinkedSource, private OfflineEngine {
 public:
  EngineSource(EngineLaunch launch, std::shared_ptr<SharedAudio> memory, EngineBoard& board);

  void begin_generation(std::int64_t position) noexcept override {
    if (!forked()) LinkedSource::begin_generation(position);
  }
  void write_mixture(std::int64_t position, const float* const* mixture, int num_samples) noexcept override {
    if (!forked()) LinkedSource::write_mixture(position, mixture, num_samples);
  }
  void write_focus(std::int64_t position, int num_samples, const StemFocus& focus) noexcept override {
    if (!forked()) LinkedSource::write_focus(position, num_samples, focus);
  }
  StemRange range() const noexcept override { return forked() ? StemRange{} : LinkedSource::range(); }
  void expect_blocks(int num_samples) noexcept override {
    if (!forked()) LinkedSource::expect_blocks(num_samples);
  }
  void set_offline(bool offline) noexcept override {
    if (!forked()) LinkedSource::set_offline(offline);
  }
  void set_wanted(bool wanted, std::int64_t resume_position) noexcept override {
    if (!forked()) LinkedSource::set_wanted(wanted, resume_position);
  }
  bool is_ready() const noexcept override { return engine_.state() == EngineState::ready; }
  OfflineEngine* offline_engine() noexcept override { return forked() ? nullptr : this; }

 private:
  bool forked() const noexcept { return process_generation_ != fork_generation(); }

  void start_now() noexcept override { engine_.start_now(); }
  void wake() noexcept override { host().wake_engine(); }
  void wait(std::int64_t nanoseconds) noexcept override { host().wait_for_engine(nanoseconds); }
  std::int64_t num_failures() const noexcept override { return engine_.num_failures(); }
  bool refused() const noexcept override { return engine_.refused(); }
  std::string last_failure() const override { return engine_.last_failure(); }
  void give_up(std::int64_t num_failures, const std::string& reason) override {
    engine_.give_up(num_failures, reason);
  }
  std::int64_t backlog_samples() const noexcept override { return memory().capacity() / 2; }

  const std::int64_t process_generation_ = fork_generation();
  EngineProcess engine_;
};

/// How engines are started.
struct EngineSettings {
  std::string executable;
  /// One that grows by more than this once it runs is started anew.
  std::int64_t growth_bytes = std::int64_t{2} << 30;
};

class EngineOrigin final : public StemOrigin {
 public:
  explicit EngineOrigin(EngineSettings settings) : settings_(std::move(settings)) {}
  std::unique_ptr<StemSource> open(const SourceSetup& setup, EngineBoard& board) const override;

 private:
  const EngineSettings settings_;
};

}  // namespace stemlane
