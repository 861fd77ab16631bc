// SPDX-License-Identifier: MIT
// Linux: posix_spawn, a socket pair for messages, an eventfd to wake the supervisor.
#include "host/engine_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "host/fork_guard.h"

extern char** environ;

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

void close_if_open(int& descriptor) noexcept {
  if (descriptor >= 0) close(std::exchange(descriptor, -1));
}

// The engine must not inherit what was meant for the host: another Python's settings,
// preloaded libraries, a host's private library path.
std::vector<char*> engine_environment() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("PYTHON") && !text.starts_with("LD_")) kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

class SpawnSettings {
 public:
  SpawnSettings(int socket, int memory) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const char* log = getenv("STEMLANE_ENGINE_LOG");
    posix_spawn_file_actions_addopen(&actions, 1, log != nullptr ? log : "/dev/null",
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    posix_spawn_file_actions_adddup2(&actions, socket, kEngineSocket);
    posix_spawn_file_actions_adddup2(&actions, memory, kEngineMemory);
    posix_spawn_file_actions_addclosefrom_np(&actions, kEngineMemory + 1);

    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    // Hosts call from real-time threads, whose class and priority are not for an engine.
    const sched_param ordinary{};
    posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes, &ordinary);
    // A session of its own: a terminal's interrupt is the host's business.
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                              POSIX_SPAWN_SETSCHEDULER | POSIX_SPAWN_SETSID);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions{};
  posix_spawnattr_t attributes{};
};

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

// Resident memory of process `pid`; 0 if that is not known.
std::int64_t resident_bytes(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/statm");
  std::int64_t all_pages = 0;
  std::int64_t resident_pages = 0;
  file >> all_pages >> resident_pages;
  return file ? resident_pages * sysconf(_SC_PAGESIZE) : 0;
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
      wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      process_generation_(fork_generation()),
      thread_(std::make_unique<std::thread>([this] { supervise(); })) {}

EngineProcess::~EngineProcess() {
  if (process_generation_ != fork_generation()) {
    // A fork's copy: thread and engine are the parent's.
    static_cast<void>(thread_.release());
    return;
  }
  stop_.store(true, std::memory_order_release);
  eventfd_write(wake_, 1);
  thread_->join();
  close(wake_);
}

void EngineProcess::start_now() noexcept {
  if (!start_.exchange(true, std::memory_order_acq_rel)) eventfd_write(wake_, 1);
}

void EngineProcess::give_up(std::int64_t num_failures, const std::string& reason) {
  {
    const std::lock_guard lock(mutex_);
    give_up_after_ = num_failures;
    give_up_reason_ = reason;
  }
  eventfd_write(wake_, 1);
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
  const sched_param ordinary{};
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &ordinary);
  auto next_start = Clock::now() + kFirstStart;
  auto retry = kFirstRetry;
  for (;;) {
    auto timeout_ms = static_cast<int>(kMemoryCheckEvery.count());
    if (pid_ < 0 && !refused()) {
      const auto left = std::chrono::ceil<milliseconds>(next_start - Clock::now());
      timeout_ms = static_cast<int>(std::max<milliseconds::rep>(0, left.count()));
    }
    bool message = false;
    wait(timeout_ms, message);
    if (stop_.load(std::memory_order_acquire)) break;

    const bool asked = start_.exchange(false, std::memory_order_acq_rel);
    std::string problem;
    if (pid_ < 0) {
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

// Waits for a wake-up, a message or the end of the engine.
bool EngineProcess::wait(int timeout_ms, bool& message) {
  pollfd watched[2] = {{wake_, POLLIN, 0}, {socket_, POLLIN, 0}};
  if (poll(watched, socket_ >= 0 ? 2 : 1, timeout_ms) <= 0) return false;
  eventfd_t count = 0;
  if ((watched[0].revents & POLLIN) != 0) eventfd_read(wake_, &count);
  message = socket_ >= 0 && watched[1].revents != 0;
  return true;
}

bool EngineProcess::launch(std::string& error) {
  if (access(launch_.executable.c_str(), X_OK) != 0) {
    error = "the engine is missing: " + launch_.executable + "; install Stemlane again";
    return false;
  }
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    error = std::string("no socket for the engine: ") + std::strerror(errno);
    return false;
  }
  memory_->restore_description();
  // Above the numbers that the child is going to use for them.
  int child_socket = fcntl(ends[1], F_DUPFD_CLOEXEC, 16);
  int child_memory = fcntl(memory_->descriptor(), F_DUPFD_CLOEXEC, 16);
  close(ends[1]);
  {
    const SpawnSettings settings(child_socket, child_memory);
    char* const arguments[] = {const_cast<char*>(launch_.executable.c_str()), nullptr};
    auto environment = engine_environment();
    const int failure = posix_spawn(&pid_, launch_.executable.c_str(), &settings.actions,
                                    &settings.attributes, arguments, environment.data());
    if (failure != 0) {
      pid_ = -1;
      error = "the engine does not start: " + std::string(std::strerror(failure));
    }
  }
  close_if_open(child_socket);
  close_if_open(child_memory);
  socket_ = ends[0];
  if (pid_ < 0) return false;

  const ConfigureMessage message = configuration(launch_);
  send(socket_, &message, sizeof message, MSG_NOSIGNAL);
  first_bytes_ = 0;
  set_state(EngineState::starting, "loading model '" + launch_.model.name + "'");
  return true;
}

// False if the engine has failed or left.
bool EngineProcess::handle_message() {
  StatusMessage message;
  ssize_t size = recv(socket_, &message, sizeof message, MSG_DONTWAIT);
  // An engine that left without having read its configuration: that comes before its last words.
  if (size < 0 && errno == ECONNRESET) size = recv(socket_, &message, sizeof message, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size != static_cast<ssize_t>(sizeof message) || message.magic != kProtocolMagic) return false;
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
  const std::int64_t bytes = resident_bytes(pid_);
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

// Kills the engine if it runs and takes its exit status.
std::string EngineProcess::reap() {
  close_if_open(socket_);
  if (pid_ < 0) return "not running";
  // An engine that has closed its socket is about to exit: its own status says more
  // than our signal, but nobody waits long for it.
  int status = 0;
  pid_t ended = waitpid(pid_, &status, WNOHANG);
  for (int i = 0; ended == 0 && i < 10 && !stop_.load(std::memory_order_acquire); ++i) {
    usleep(1000);
    ended = waitpid(pid_, &status, WNOHANG);
  }
  if (ended == 0) {
    kill(pid_, SIGKILL);
    do {
      ended = waitpid(pid_, &status, 0);
    } while (ended < 0 && errno == EINTR);
  }
  pid_ = -1;
  if (ended < 0) return "status unknown";
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace stemlane
