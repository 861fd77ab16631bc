// SPDX-License-Identifier: MIT
// Counts forks with a handler that runs in the child.
#include "host/fork_guard.h"

#include <pthread.h>

#include <atomic>

namespace stemlane {
namespace {

std::atomic<std::int64_t> generation{0};

[[maybe_unused]] const int registered =
    pthread_atfork(nullptr, nullptr, [] { generation.fetch_add(1, std::memory_order_relaxed); });

}  // namespace

std::int64_t fork_generation() noexcept {
  return generation.load(std::memory_order_relaxed);
}

}  // namespace stemlane
