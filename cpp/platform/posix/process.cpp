// SPDX-License-Identifier: MIT
// posix_spawn, with the handles at fixed descriptors of the child: the channel first. What each
// system knows of processes in its own way is in its own folder.
#include "platform/process.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

#include "platform/posix/descriptors.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif
#ifdef __APPLE__
#include <crt_externs.h>
#define environ (*_NSGetEnviron())  // the variable is not there for a library
#else
extern char** environ;
#endif

namespace stemlane {
namespace {

std::vector<char*> clean_environment() {
  std::vector<char*> kept;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (!text.starts_with("PYTHON") && !text.starts_with("LD_") && !text.starts_with("DYLD_"))
      kept.push_back(*entry);
  }
  kept.push_back(nullptr);
  return kept;
}

/// As the system takes them, while the texts live.
std::vector<char*> argument_list(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> all = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) all.push_back(const_cast<char*>(argument.c_str()));
  all.push_back(nullptr);
  return all;
}

class SpawnSettings {
 public:
  /// `descriptors` are those that the child finds from `kChannelDescriptor` on; they lie above. `output`
  /// is the file that it prints to, or empty.
  SpawnSettings(std::span<const OwnedHandle> descriptors, const std::string& output) {
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    const char* log = output.empty() ? std::getenv("STEMLANE_ENGINE_LOG") : output.c_str();
    posix_spawn_file_actions_addopen(&actions, 1, log != nullptr ? log : "/dev/null",
                                     O_WRONLY | O_CREAT | O_APPEND, 0644);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    int target = kChannelDescriptor;
    for (const OwnedHandle& descriptor : descriptors)
      posix_spawn_file_actions_adddup2(&actions, static_cast<int>(descriptor.get()), target++);
#ifdef POSIX_SPAWN_CLOEXEC_DEFAULT  // macOS: all that is not named above
    flags |= POSIX_SPAWN_CLOEXEC_DEFAULT;
#else
    posix_spawn_file_actions_addclosefrom_np(&actions, target);
#endif

    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setsigdefault(&attributes, &all);
#ifdef POSIX_SPAWN_SETSCHEDULER
    // Hosts call from real-time threads, whose class and priority are not for a child. On macOS no
    // process inherits them.
    const sched_param ordinary{};
    posix_spawnattr_setschedpolicy(&attributes, SCHED_OTHER);
    posix_spawnattr_setschedparam(&attributes, &ordinary);
    flags |= POSIX_SPAWN_SETSCHEDULER;
#endif
    // A group of its own: a terminal's interrupt is the parent's business. Of the same session: a child
    // that is stopped when its parent ends is then sent SIGHUP and goes on, which ends it.
    posix_spawnattr_setpgroup(&attributes, 0);
    posix_spawnattr_setflags(&attributes, flags);
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

std::optional<ChildProcess> ChildProcess::start(const Program& program, std::span<const NativeHandle> handles,
                                                std::string& error) {
  auto ends = Channel::create(error);
  if (!ends) return std::nullopt;
  // Copies above the numbers that the child is going to use.
  const auto above = kFirstHandleDescriptor + kDescriptorsPerHandle * static_cast<int>(handles.size());
  std::vector<OwnedHandle> copies;
  const auto copy = [&](int descriptor) { copies.emplace_back(fcntl(descriptor, F_DUPFD_CLOEXEC, above)); };
  copy(descriptors_of(ends->second.handle()).first);
  for (const NativeHandle handle : handles) {
    const Descriptors passed = descriptors_of(handle);
    copy(passed.first);
    if (kDescriptorsPerHandle == 2) copy(passed.second >= 0 ? passed.second : passed.first);
  }

  const SpawnSettings settings(copies, program.output);
  const auto arguments = argument_list(program.executable, program.arguments);
  auto environment = clean_environment();
  int id = -1;
  const int failure = posix_spawn(&id, program.executable.c_str(), &settings.actions, &settings.attributes,
                                  arguments.data(), environment.data());
  if (failure == 0) return ChildProcess(id, OwnedHandle(), std::move(ends->first));
  error = std::strerror(failure);
  return std::nullopt;
}

void ChildProcess::interrupt() const noexcept {
  kill(static_cast<pid_t>(process_), SIGTERM);
}

// NOLINTNEXTLINE(readability-make-member-function-const): what it ends is not a constant
std::string ChildProcess::end(int grace_period_ms) {
  const auto id = static_cast<pid_t>(process_);
  int status = 0;
  pid_t ended = waitpid(id, &status, WNOHANG);
  for (int i = 0; ended == 0 && i < grace_period_ms; ++i) {
    usleep(1000);
    ended = waitpid(id, &status, WNOHANG);
  }
  if (ended == 0) {
    kill(id, SIGKILL);
    do {
      ended = waitpid(id, &status, 0);
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
  const int first = kFirstHandleDescriptor + kDescriptorsPerHandle * index;
  return OwnedHandle(handle_of({first, kDescriptorsPerHandle == 2 ? first + 1 : -1}));
}

std::string become(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   const std::filesystem::path& library_folder) {
#ifdef __APPLE__
  constexpr const char* kVariable = "DYLD_LIBRARY_PATH";
#else
  constexpr const char* kVariable = "LD_LIBRARY_PATH";
#endif
  if (!library_folder.empty()) setenv(kVariable, library_folder.c_str(), 1);
  execv(program.c_str(), argument_list(program.native(), arguments).data());
  return std::strerror(errno);
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
