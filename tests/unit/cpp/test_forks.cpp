// SPDX-License-Identifier: MIT
// What needs a fork to try: hosts that fork or die, priorities, limits. POSIX only.
#include <catch2/catch.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine_fixture.h"
#include "host/out_of_memory.h"
#include "platform/process.h"

using namespace stemlane;
using namespace std::chrono_literals;

namespace {

// See platform/posix/descriptors.h.
constexpr int kFirstHandleDescriptor = 4;

std::string descriptor_path(int pid, int descriptor) {
  return "/proc/" + std::to_string(pid) + "/fd/" + std::to_string(descriptor);
}

/// How many of all processes that can be looked at have `memory` open.
int num_holders(const struct stat& memory) {
  int count = 0;
  std::error_code ignored;
  for (const auto& process : std::filesystem::directory_iterator("/proc")) {
    bool holds = false;
    for (const auto& entry : std::filesystem::directory_iterator(process.path() / "fd", ignored)) {
      struct stat file {};
      // By its name, too: some other things do not like to be looked at.
      holds = holds ||
              (std::filesystem::read_symlink(entry, ignored).string().find("stemlane") != std::string::npos &&
               stat(entry.path().c_str(), &file) == 0 && file.st_dev == memory.st_dev &&
               file.st_ino == memory.st_ino);
    }
    count += holds;
  }
  return count;
}

bool is_gone(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string number;
  std::string name;
  char state = 'X';
  return !(file >> number >> name >> state) || state == 'Z' || state == 'X';
}

}  // namespace

TEST_CASE("an engine goes with its host, however the host ends and whatever the engine does") {
  for (const std::string manner : {"works", "hangs", "sleeps through it"}) {
    INFO(manner);
    int pipe_ends[2];
    REQUIRE(pipe(pipe_ends) == 0);
    const pid_t host = fork();
    if (host == 0) {
      close(pipe_ends[0]);
      StemStream stream;
      stream.prepare(config_for(manner == "hangs" ? manner : "works"));
      wait_for([] { return children().size() == 1; });
      if (manner != "hangs")
        wait_for([&] { return stream.status().state == EngineState::ready; });
      else
        std::this_thread::sleep_for(200ms);  // it never says that it has come so far
      const int engine = children().at(0);
      if (manner == "sleeps through it") stop_process(engine);
      static_cast<void>(!write(pipe_ends[1], &engine, sizeof engine));
      pause();
    }
    int engine = 0;
    REQUIRE(read(pipe_ends[0], &engine, sizeof engine) == sizeof engine);
    struct stat memory {};
    REQUIRE(stat(descriptor_path(engine, kFirstHandleDescriptor + kMemoryHandle).c_str(), &memory) == 0);
    CHECK(num_holders(memory) == 2);  // host and engine
    kill_process(host);
    waitpid(host, nullptr, 0);
    CHECK(wait_for([&] { return is_gone(engine); }));
    CHECK(wait_for([&] { return num_holders(memory) == 0; }));
    close(pipe_ends[0]);
    close(pipe_ends[1]);
  }
}

TEST_CASE("the engine runs with ordinary priority, whatever the thread that asks for it") {
  StemStream stream;
  int policy_of_host = 0;
  std::thread([&] {
    // As a real-time class would be, which not everyone may take: inherited by default.
    const sched_param none{};
    sched_setscheduler(0, SCHED_BATCH, &none);
    policy_of_host = sched_getscheduler(0);
    stream.prepare(config_for("works"));
  }).join();
  CHECK(policy_of_host == SCHED_BATCH);
  REQUIRE(wait_for([] { return children().size() == 1; }));
  CHECK(sched_getscheduler(children().at(0)) == SCHED_OTHER);
}

TEST_CASE("a fork passes the mixture, leaves the parent's memory alone and exits") {
  StemStream stream;
  stream.prepare(config_for("works"));
  stream.set_offline(true);
  const Audio in = noise(2, 100'000);
  int result = -1;
  const Audio out = bounce(stream, in, 500, [&](int block) {
    if (block != 80) return;
    const pid_t child = fork();
    if (child == 0) {
      bool mixture = true;
      {
        // A copy of the stream as the parent has it.
        Audio more(2, 10'000);
        stream.process({in.pointers.data(), more.pointers.data(), 10'000, kNoVocals, {}});
        mixture =
            more.samples[0][9999] == in.samples[0][static_cast<std::size_t>(9999 - stream.latency_samples())];
        mixture = mixture && stream.status().state == EngineState::failed;
        stream.prepare(config_for("other"));  // destroys the old engine's handle
      }
      _exit(mixture ? 0 : 1);
    }
    int status = 0;
    waitpid(child, &status, 0);
    result = WEXITSTATUS(status);
  });
  CHECK(result == 0);
  CHECK(num_differing(out, in, stream.latency_samples(), 0.5F, 0, 100'000) == 0);
}

TEST_CASE("with hardly any address space left, it is the memory whatever the words") {
  CHECK(can_map(kLeastEngineBytes));
  const pid_t child = fork();
  if (child == 0) {
    const rlimit none{0, 0};  // what there is stays, nothing comes to it
    setrlimit(RLIMIT_AS, &none);
    _exit(!can_map(kLeastEngineBytes) && is_out_of_memory("died") ? 0 : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
}
