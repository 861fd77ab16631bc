// SPDX-License-Identifier: MIT
// What the system knows of threads and of the copies of a process.
#pragma once

#include <cstdint>

namespace stemlane {

/// Takes a real-time class and priority that this thread has inherited from it.
void use_ordinary_priority() noexcept;

/// Counts the forks between the first process and this one. Threads do not survive a fork, and
/// shared memory still belongs to the parent: an object that was made with another count is a
/// copy. Any thread, wait-free.
std::int64_t fork_generation() noexcept;

}  // namespace stemlane
