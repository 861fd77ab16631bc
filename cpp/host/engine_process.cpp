// SPDX-License-Identifier: MIT
// The supervisor's loop; what a process is, is the platform's business.
#include "host/engine_process.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "platform/thread.h"

namespace stemlane {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

// A scan creates, runs and destroys a plugin within a few milliseconds; a session that
// is being loaded has its engine ready before anyone presses play.
constexpr milliseconds kFirstStart{250};
constexpr milliseconds kFirstRetry{250};
constexpr milliseconds kLastRetry{30'000};
constexpr milliseconds kMemoryCheckEvery{1'000};

// An engine that has closed its channel is about to exit: its own status says more than force,
// but nobody waits long for it.
constexpr int kGracePeriodMs = 10;

Event make_event() {
  std::string error;
  auto event = Event::create(error);
  if (!event) throw std::runtime_error(error);
  return std::move(*event);
}

ConfigureMessage configuration(const EngineLaunch& launch) {
  ConfigureMessage message;
  message.sample_rate = launch.sample_rate;
  message.num_channels = static_cast<std::uint32_t>(launch.num_channels);
  message.stride_samples = launch.model.stride_samples;
  message.delay_samples = launch.model.delay_samples;
  message.compute_allowance_samples = launch.model.compute_allowance_samples;
  launch.model.name.copy(message.model, sizeof message.model - 1);
  std::string stems;
  for (const int stem : launch.model.stems) {
    if (!stems.empty()) stems += ',';
    stems += kStemNames[static_cast<std::size_t>(stem)];
  }
  stems.copy(message.stems, sizeof message.stems - 1);
  return message;
}

// Text of another process for logs, XML and screens: one line of printable UTF-8.
std::string printable(std::string text) {
  int continued = 0;
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    const auto byte = i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    if (continued > 0 && (byte & 0xC0U) == 0x80U) {
      --continued;
      continue;
    }
    if (continued > 0)
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(start),
                text.begin() + static_cast<std::ptrdiff_t>(i), '?');
    if (i == text.size()) break;
    start = i;
    continued = byte >= 0xC2U && byte < 0xE0U ? 1 : byte >= 0xE1U && byte < 0xF0U && byte != 0xEDU ? 2 : 0;
    if ((continued == 0 && byte >= 0x80U) || byte < 0x20U || byte == 0x7FU) text[i] = '?';
  }
  return text;
}

}  // namespace

EngineProcess::EngineProcess(EngineLaunch launch, std::shared_ptr<SharedAudio> memory, EngineBoard& board)
    : launch_(std::move(launch)),
      memory_(std::move(memory)),
      board_(board),
      wake_(make_event()),
      process_generation_(fork_generation()),
      thread_(std::make_unique<std::thread>([this] { supervise(); })) {}

EngineProcess::~EngineProcess() {
  if (process_generation_ != fork_generation()) {
    // A fork's copy: thread and engine are the parent's.
    static_cast<void>(thread_.release());
    return;
  }
  stop_.store(true, std::memory_order_release);
  wake_.signal();
  thread_->join();
}

void EngineProcess::start_now() noexcept {
  if (!start_.exchange(true, std::memory_order_acq_rel)) wake_.signal();
}

void EngineProcess::give_up(std::int64_t num_failures, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    give_up_after_ = num_failures;
    give_up_reason_ = reason;
  }
  wake_.signal();
}

// True, and says why, if the engine that runs is the one that was given up.
bool EngineProcess::given_up(std::string& problem) {
  const std::lock_guard lock(mutex_);
  if (std::exchange(give_up_after_, -1) != num_failures()) return false;
  problem = give_up_reason_;
  return true;
}

std::string EngineProcess::last_failure() const {
  const std::lock_guard lock(mutex_);
  return last_failure_;
}

void EngineProcess::set_state(EngineState state, std::string text) {
  if (state == EngineState::failed) {
    const std::lock_guard lock(mutex_);
    last_failure_ = text;
  }
  board_.publish(state, std::move(text));
}

void EngineProcess::supervise() {
  // A thread that a host's real-time thread starts inherits its priority.
  use_ordinary_priority();
  auto next_start = Clock::now() + kFirstStart;
  auto retry = kFirstRetry;
  for (;;) {
    auto timeout_ms = static_cast<int>(kMemoryCheckEvery.count());
    if (!child_ && !refused()) {
      const auto left = std::chrono::ceil<milliseconds>(next_start - Clock::now());
      timeout_ms = static_cast<int>(std::max<milliseconds::rep>(0, left.count()));
    }
    const bool message = wait_for_either(wake_, child_ ? &child_->channel() : nullptr, timeout_ms);
    if (stop_.load(std::memory_order_acquire)) break;

    const bool asked = start_.exchange(false, std::memory_order_acq_rel);
    std::string problem;
    if (!child_) {
      if (refused() || (!asked && Clock::now() < next_start)) continue;
      if (launch(problem)) continue;
    } else if (!given_up(problem) && (message ? handle_message() : !has_grown(problem))) {
      if (state() == EngineState::ready) retry = kFirstRetry;
      continue;
    }
    fail(problem);
    next_start = Clock::now() + retry;
    retry = std::min(retry * 2, kLastRetry);
  }
  reap();
}

bool EngineProcess::launch(std::string& error) {
  if (!is_executable(launch_.executable)) {
    error = "the engine is missing: " + launch_.executable + "; install Stemlane again";
    return false;
  }
  memory_->restore_description();
  std::array<NativeHandle, kNumHandles> handles{};
  handles[kMemoryHandle] = memory_->handle();
  handles[kMixtureWrittenHandle] = memory_->mixture_written().handle();
  handles[kStemsWrittenHandle] = memory_->stems_written().handle();
  std::string reason;
  child_ = ChildProcess::start({launch_.executable}, handles, reason);
  if (!child_) {
    error = "the engine does not start: " + reason;
    return false;
  }
  const ConfigureMessage message = configuration(launch_);
  child_->channel().send(&message, sizeof message);
  first_bytes_ = 0;
  set_state(EngineState::starting, "loading model '" + launch_.model.name + "'");
  return true;
}

// False if the engine has failed or left.
bool EngineProcess::handle_message() {
  StatusMessage message;
  const auto received = child_->channel().receive(&message, sizeof message, false);
  if (received == Channel::Received::nothing) return true;
  if (received == Channel::Received::closed || message.magic != kProtocolMagic) return false;
  message.text[sizeof message.text - 1] = '\0';
  if (message.state == static_cast<std::uint32_t>(EngineState::ready)) {
    set_state(EngineState::ready, printable(message.text));
    return true;
  }
  last_words_ = printable(message.text);
  if (message.is_final != 0) refused_.store(true, std::memory_order_release);
  return false;
}

// True, and says so, if the engine takes much more memory than when it began to run.
bool EngineProcess::has_grown(std::string& problem) {
  if (state() != EngineState::ready) return false;
  const std::int64_t bytes = child_->resident_bytes();
  if (first_bytes_ == 0) first_bytes_ = bytes;
  if (bytes - first_bytes_ <= launch_.growth_bytes) return false;
  problem = "the engine has grown to " + std::to_string(bytes >> 20) + " MiB; it is started again";
  return true;
}

void EngineProcess::fail(const std::string& reason) {
  const std::string ended = reap();
  std::string text = reason.empty() ? last_words_ : reason;
  last_words_.clear();
  if (text.empty()) text = "the engine stopped (" + ended + "); it is started again";
  set_state(EngineState::failed, std::move(text));
  num_failures_.fetch_add(1, std::memory_order_acq_rel);
}

// Ends the engine if it runs; says how it ended.
std::string EngineProcess::reap() {
  if (!child_) return "not running";
  const std::string ended = child_->end(stop_.load(std::memory_order_acquire) ? 0 : kGracePeriodMs);
  child_.reset();
  return ended;
}

}  // namespace stemlane
