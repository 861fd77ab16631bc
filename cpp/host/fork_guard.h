// SPDX-License-Identifier: MIT
// Tells whether this process is a fork of the one in which an object was made, without
// a system call: threads do not survive a fork, and shared memory still belongs to the
// parent.
#pragma once

#include <cstdint>

namespace stemlane {

/// Counts the forks between the first process and this one. Any thread, wait-free.
std::int64_t fork_generation() noexcept;

}  // namespace stemlane
