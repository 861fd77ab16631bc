// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdio>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <utility>

#include "engine_fixture.h"
#include "realtime_guard.h"

using namespace stemlane;
using namespace std::chrono_literals;

namespace {

StreamConfig config_with(const ModelDescriptor& model) {
  StreamConfig config;
  config.model = model;
  config.origin = kLinked;
  config.sleep_after_seconds = 0.2;
  return config;
}

/// Plays everything a host may do in real time: block lengths, gains, meters, stem
/// outputs, in place or not, resets, stems that come, stay away or are no sound, sleep.
class Medley {
 public:
  /// Whoever watches the meters first takes the memory for it, on a thread of its own.
  explicit Medley(StemStream& stream) : stream_(stream) {
    stream_.set_meters(true);
    stream_.set_meters(false);
  }

  static constexpr int kNumBlocks = 400;

  /// Plays block number `index`; the only function that runs on the audio thread.
  void play(int index) noexcept {
    static constexpr int kSizes[] = {0, 1, 63, 64, 65, 441, 512, 1024, 5000, 8192};
    StreamBlock block;
    block.in = audio_.pointers.data();
    block.out = index % 3 == 0 ? audio_.pointers.data() : out_.pointers.data();
    block.num_samples = kSizes[index % 10];
    const bool quiet = index >= 150 && index < 250;  // long enough for a sleep
    if (!quiet) block.gains[0] = static_cast<float>(index % 7) * 0.25F;
    if (!quiet && index % 4 == 0)
      for (std::size_t stem = 0; stem < kNumStems; ++stem)
        block.stem_out[stem] = stems_[stem].pointers.data();
    stream_.set_meters(!quiet && index % 5 == 0);
    if (index % 97 == 50) stream_.reset();
    stream_.process(block);
    static_cast<void>(stream_.latency_samples());
  }

 private:
  StemStream& stream_;
  Audio audio_ = noise(2, 8192);
  Audio out_{2, 8192};
  std::array<Audio, kNumStems> stems_ = {Audio(2, 8192), Audio(2, 8192), Audio(2, 8192),
                                         Audio(2, 8192), Audio(2, 8192), Audio(2, 8192)};
};

/// Waits until the stream's engine runs.
bool is_ready(const StemStream& stream) {
  return wait_for([&] { return stream.status().state == EngineState::ready; });
}

}  // namespace

TEST_CASE("the guard sees allocations, locks, waits and files") {
  std::mutex mutex;
  std::shared_mutex shared;
  std::condition_variable condition;
  sem_t semaphore;
  sem_init(&semaphore, 0, 5);
  char byte = 0;
  const int null = open("/dev/null", O_RDWR);
  const int event = eventfd(1, EFD_NONBLOCK);
  void* volatile memory = nullptr;
  const std::pair<const char*, std::function<void()>> cases[] = {
      {"malloc", [&] { memory = malloc(100); }},
      {"free", [&] { free(memory); }},
      {"malloc", [&] { memory = new int(3); }},
      {"free", [&] { delete static_cast<int*>(memory); }},
      {"calloc", [&] { memory = calloc(10, 10); }},
      {"realloc", [&] { memory = realloc(memory, 1000); }},
      {"pthread_mutex_lock", [&] { mutex.lock(); }},
      {"pthread_mutex_unlock", [&] { mutex.unlock(); }},
      {"pthread_mutex_trylock",
       [&] {
         if (mutex.try_lock()) mutex.unlock();
       }},
      {"pthread_rwlock_rdlock", [&] { shared.lock_shared(); }},
      {"pthread_rwlock_unlock", [&] { shared.unlock_shared(); }},
      {"pthread_cond_broadcast", [&] { condition.notify_all(); }},
      {"sem_post", [&] { sem_post(&semaphore); }},
      {"sem_trywait", [&] { sem_trywait(&semaphore); }},
      {"sem_wait", [&] { sem_wait(&semaphore); }},
      {"clock_nanosleep",
       [&] {
         timespec none{};
         clock_nanosleep(CLOCK_MONOTONIC, 0, &none, nullptr);
       }},
      {"nanosleep",
       [&] {
         timespec none{};
         nanosleep(&none, nullptr);
       }},
      {"sched_yield", [&] { std::this_thread::yield(); }},
      {"poll", [&] { poll(nullptr, 0, 0); }},
      {"open", [&] { close(open("/dev/null", O_RDONLY)); }},
      {"read", [&] { CHECK(read(null, &byte, 1) == 0); }},
      {"write", [&] { CHECK(write(null, &byte, 1) == 1); }},
      {"eventfd_write", [&] { eventfd_write(event, 1); }},
      {"mmap", [&] { munmap(mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 4096); }},
      {"fopen", [&] { fclose(fopen("/dev/null", "r")); }},
      {"syscall", [&] { syscall(SYS_getpid); }},
      {"getenv", [&] { memory = getenv("HOME"); }},
  };
  for (const auto& [name, call] : cases) {
    RealtimeGuard guard;
    call();
    CHECK(guard.finish() >= 1);
    CHECK(guard.first() == name);
  }
  close(null);
  close(event);
  RealtimeGuard idle;
  CHECK(idle.finish() == 0);
}

TEST_CASE("in real time process makes no call that allocates, locks, waits or enters the system") {
  for (const bool poison : {false, true}) {
    StemStream stream;
    stream.prepare(config_with(fake_model()));
    FakeSeparator separator(*shared_audio(stream), fake_model());
    separator.poison = poison;
    Medley medley(stream);
    for (int i = 0; i < Medley::kNumBlocks; ++i) {
      if (i % 60 < 40) separator.run();
      RealtimeGuard guard;
      medley.play(i);
      const long count = guard.finish();
      INFO("block " << i << ": " << guard.first());
      REQUIRE(count == 0);
    }
  }
}

TEST_CASE("the same beside a running engine, before it runs and after it has died") {
  StreamConfig config = config_with(fake_model());
  config.origin = fake_engine();
  StemStream stream;
  stream.prepare(config);
  Medley medley(stream);
  long count = 0;
  std::string first;
  for (int i = 0; i < 2 * Medley::kNumBlocks; ++i) {
    if (i == 250) CHECK(is_ready(stream));
    if (i == 550)
      for (const int engine : children()) kill(engine, SIGKILL);
    RealtimeGuard guard;
    medley.play(i % Medley::kNumBlocks);
    if (guard.finish() > 0 && count++ == 0) first = guard.first();
    std::this_thread::sleep_for(100us);
  }
  INFO(first);
  CHECK(count == 0);
}

namespace {

std::atomic<int> forbidden_call{-1};

[[noreturn]] void end_thread() {
  for (;;) syscall(SYS_exit, 0);
}

// From here on the thread may only end; anything else is reported by SIGSYS.
void forbid_system_calls() {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    forbidden_call.store(info->si_syscall);
    end_thread();
  };
  sigaction(SIGSYS, &action, nullptr);
  sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
  };
  const sock_fprog program{static_cast<unsigned short>(std::size(rules)), rules};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
    forbidden_call.store(-2);
}

/// Plays the medley in a child process, on a thread without system calls, beside a real
/// engine process. Returns the number of the first call it made, -1 for none, -2 if the
/// system refuses the filter, -3 if the thread does not end.
int system_call_of_medley(bool with_a_slip) {
  const pid_t child = fork();
  if (child == 0) {
    forbidden_call.store(-1);
    StreamConfig config = config_with(fake_model());
    config.origin = fake_engine();
    StemStream stream;
    stream.prepare(config);
    Medley medley(stream);
    bool heard = is_ready(stream);
    std::atomic<bool> done{false};
    std::thread audio([&] {
      medley.play(1);  // what a first call resolves lazily
      forbid_system_calls();
      for (int i = 0; i < Medley::kNumBlocks && heard; ++i) medley.play(i);
      if (with_a_slip) static_cast<void>(getppid());
      done.store(true);
      end_thread();
    });
    wait_for([&] { return done || forbidden_call >= 0; });
    const int result = !heard || (!done && forbidden_call == -1) ? -3 : forbidden_call.load();
    // Neither the stream nor the thread is taken apart: the engine leaves with the process.
    _exit(result + 3 > 250 ? 250 : result + 3);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) - 3 : -4;
}

}  // namespace

TEST_CASE("in real time process enters the system not even behind the library's back") {
  CHECK(system_call_of_medley(false) == -1);
  CHECK(system_call_of_medley(true) == SYS_getppid);  // the filter bites
}

TEST_CASE("denormal numbers are flushed inside process, and the host's setting comes back") {
  StemStream stream;
  stream.prepare(config_with(fake_model()));
  Audio in(2, 8192, 1e-39F);
  Audio out(2, 8192, 1.0F);
  StreamBlock block{in.pointers.data(), out.pointers.data(), 8192, {0.5F, 0.5F, 0.5F, 0.5F, 0.5F, 0.5F}, {}};
  const unsigned before = _mm_getcsr();
  REQUIRE((before & 0x8040U) == 0);
  stream.process(block);
  stream.process(block);
  CHECK(_mm_getcsr() == before);
  // 0.5 times a denormal is 0 while they are flushed.
  volatile float denormal = 1e-39F;
  CHECK(0.5F * denormal != 0.0F);
  for (const float sample : out.samples[1])
    if (sample != 0.0F) FAIL(sample);
}
