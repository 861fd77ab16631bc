// SPDX-License-Identifier: MIT
// Linux, whose /proc has all of it. CHANNEL_HEADER_BYTES: before a message, see posix/stream_channel.cpp.
#include "processes.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace {

constexpr int kChannel = 3;  // see posix/descriptors.h

}  // namespace

std::vector<int> children() {
  std::vector<int> pids;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "children");
    for (int pid = 0; file >> pid;) pids.push_back(pid);
  }
  return pids;
}

std::ptrdiff_t num_descriptors() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

std::ptrdiff_t num_threads() {
  return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
}

void kill_process(int id) {
  kill(id, SIGKILL);
}
const char* const kKilled = "signal 9";

void stop_process(int id) {
  kill(id, SIGSTOP);
}

void continue_process(int id) {
  kill(id, SIGCONT);
}

bool is_signalled(const stemlane::Event& event) {
  pollfd watched{static_cast<int>(event.handle()), POLLIN, 0};
  return poll(&watched, 1, 0) != 0;
}

int process_id() {
  return getpid();
}

bool peek_message(void* message, std::size_t num_bytes) {
  char bytes[1024];
  const std::size_t wanted = CHANNEL_HEADER_BYTES + num_bytes;
  if (recv(kChannel, bytes, wanted, MSG_PEEK | MSG_WAITALL) != static_cast<ssize_t>(wanted)) return false;
  std::memcpy(message, bytes + CHANNEL_HEADER_BYTES, num_bytes);
  return true;
}

void babble(const std::string& bytes) {
  send(kChannel, bytes.data(), bytes.size(), MSG_NOSIGNAL);
}

void crash() {
  raise(SIGSEGV);
  abort();
}

void kill_self() {
  raise(SIGKILL);
  abort();
}

void hang() {
  for (;;) pause();
}
