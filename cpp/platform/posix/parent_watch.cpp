// SPDX-License-Identifier: MIT
// A thread that ends the process with its parent, whatever the other threads do: for systems that do
// not offer it. A process that is stopped is ended by the system: see process.cpp.
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <new>

#include "platform/posix/descriptors.h"
#include "platform/process.h"

namespace stemlane {
namespace {

// How often it is asked who the parent is. The channel, which closes with the parent, says it at once, unless
// a fork of the parent still holds it.
constexpr int kAskEveryMs = 1000;
constexpr std::size_t kStackBytes = std::size_t{256} << 10;

struct Watch {
  pid_t parent;
  int channel;
};

void* watch_parent(void* argument) {
  Watch watch = *static_cast<Watch*>(argument);
  delete static_cast<Watch*>(argument);
  for (;;) {
    pollfd watched{watch.channel, 0, 0};  // its end alone
    const int events = poll(&watched, 1, kAskEveryMs) > 0 ? watched.revents : 0;
    if ((events & (POLLHUP | POLLERR)) != 0 || getppid() != watch.parent) kill(getpid(), SIGKILL);
    // Closed in this process: it would say so at once, for ever. Below 0 nothing is watched.
    if ((events & POLLNVAL) != 0) watch.channel = -1;
  }
  return nullptr;
}

}  // namespace

void bind_to_parent() noexcept {
  // A copy: this thread and the channel's owner live as long as each likes.
  const int channel = is_child_process() ? fcntl(kChannelDescriptor, F_DUPFD_CLOEXEC, 0) : -1;
  auto* const watch = new (std::nothrow) Watch{getppid(), channel};
  if (watch == nullptr) return;
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the other threads
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_t thread{};
  // Without it, the closed channel is noticed by an engine that is not stuck.
  if (pthread_create(&thread, &attributes, watch_parent, watch) != 0) delete watch;
  pthread_attr_destroy(&attributes);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

int parent_descriptor() noexcept {
  return is_child_process() ? kChannelDescriptor : -1;  // the thread ends with an exec
}

}  // namespace stemlane
