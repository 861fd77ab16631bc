// SPDX-License-Identifier: MIT
// Scheduling classes, and a handler that runs in the child of a fork.
#include "platform/thread.h"

#include <pthread.h>
#include <sched.h>

#include <atomic>

namespace stemlane {
namespace {

std::atomic<std::int64_t> generation{0};

[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

void use_ordinary_priority() noexcept {
  const sched_param ordinary{};
  pthread_setschedparam(pthread_self(), SCHED_OTHER, &ordinary);
}

std::int64_t fork_generation() noexcept {
  return generation.load(std::memory_order_relaxed);
}

}  // namespace stemlane
