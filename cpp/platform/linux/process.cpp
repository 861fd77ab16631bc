// SPDX-License-Identifier: MIT
// posix_spawn, with the handles at fixed descriptors of the child: the channel first.
#include "platform/process.h"

#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

extern char** environ;

namespace stemlane {
namespace {

constexpr int kChannelDescriptor = 3;
constexpr int kFirstHandleDescriptor = 4;

std::vector<char*> clean_environment() {
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
  /// `descriptors` are those that the child finds from `kChannelDescriptor` on; they lie above.
  explicit SpawnSettings(std::span<const OwnedHandle> descriptors) {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const char* log = std::getenv("STEMLANE_ENGINE_LOG");
    posix_spawn_file_actions_addopen(&actions, 1, log != nullptr ? log : "/dev/null",
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int target = kChannelDescriptor;
    for (const OwnedHandle& descriptor : descriptors)
      posix_spawn_file_actions_adddup2(&actions, static_cast<int>(descriptor.get()), target++);
    posix_spawn_file_actions_addclosefrom_np(&actions, target);

    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    // Hosts call from real-time threads, whose class and priority are not for a child.
    const sched_param ordinary{};
    posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes, &ordinary);
    // A session of its own: a terminal's interrupt is the parent's business.
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

}  // namespace

std::optional<ChildProcess> ChildProcess::start(const std::string& executable,
                                                std::span<const NativeHandle> handles, std::string& error) {
  auto ends = Channel::create(error);
  if (!ends) return std::nullopt;
  // Copies above the numbers that the child is going to use.
  const auto above = static_cast<int>(kFirstHandleDescriptor + handles.size());
  std::vector<OwnedHandle> copies;
  const auto copy = [&](NativeHandle handle) {
    copies.emplace_back(fcntl(static_cast<int>(handle), F_DUPFD_CLOEXEC, above));
  };
  copy(ends->second.handle());
  for (const NativeHandle handle : handles) copy(handle);

  const SpawnSettings settings(copies);
  char* const arguments[] = {const_cast<char*>(executable.c_str()), nullptr};
  auto environment = clean_environment();
  int id = -1;
  const int failure = posix_spawn(&id, executable.c_str(), &settings.actions, &settings.attributes, arguments,
                                  environment.data());
  if (failure == 0) return ChildProcess(id, std::move(ends->first));
  error = std::strerror(failure);
  return std::nullopt;
}

std::int64_t ChildProcess::resident_bytes() const {
  std::ifstream file("/proc/" + std::to_string(id_) + "/statm");
  std::int64_t all_pages = 0;
  std::int64_t resident_pages = 0;
  file >> all_pages >> resident_pages;
  return file ? resident_pages * sysconf(_SC_PAGESIZE) : 0;
}

std::string ChildProcess::end(int grace_period_ms) {
  int status = 0;
  pid_t ended = waitpid(id_, &status, WNOHANG);
  for (int i = 0; ended == 0 && i < grace_period_ms; ++i) {
    usleep(1000);
    ended = waitpid(id_, &status, WNOHANG);
  }
  if (ended == 0) {
    kill(id_, SIGKILL);
    do {
      ended = waitpid(id_, &status, 0);
    } while (ended < 0 && errno == EINTR);
  }
  if (ended < 0) return "status unknown";
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit status " + std::to_string(WEXITSTATUS(status));
}

bool is_executable(const std::string& path) noexcept {
  return access(path.c_str(), X_OK) == 0;
}

bool is_child_process() noexcept {
  struct stat status {};
  return fstat(kChannelDescriptor, &status) == 0 && S_ISSOCK(status.st_mode);
}

Channel inherited_channel() noexcept {
  return Channel(OwnedHandle(kChannelDescriptor));
}

OwnedHandle inherited_handle(int index) noexcept {
  return OwnedHandle(kFirstHandleDescriptor + index);
}

void bind_to_parent() noexcept {
  // A parent that is gone already is noticed by the closed channel.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
}

void be_first_when_out_of_memory() noexcept {
  // Half of the scale from 0 (as any process) to 1000 (always the first).
  std::ofstream("/proc/self/oom_score_adj") << 500;
}

std::filesystem::path executable_path() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

bool can_map(std::size_t num_bytes) noexcept {
  void* memory = mmap(nullptr, num_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED) return false;
  munmap(memory, num_bytes);
  return true;
}

void return_free_memory() noexcept {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

}  // namespace stemlane
