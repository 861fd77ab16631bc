// SPDX-License-Identifier: MIT
// What tests see of processes and do to them, beyond what cpp/platform offers; processes_<system>.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "platform/event.h"

// --- In a test --------------------------------------------------------------------------------

/// The children of this process that have not been reaped.
std::vector<int> children();
/// Of this process: open descriptors or handles.
std::ptrdiff_t num_descriptors();
std::ptrdiff_t num_threads();

void kill_process(int id);
/// How the end of a process is told that has been killed so.
extern const char* const kKilled;
void stop_process(int id);
void continue_process(int id);

/// True if a wait would return at once; takes nothing.
bool is_signalled(const stemlane::Event& event);
/// Of this process, for names of files that no other one has.
int process_id();

// --- In an engine ------------------------------------------------------------------------------

/// Waits for the first message, copies it and leaves it unread. False if none comes.
bool peek_message(void* message, std::size_t num_bytes);
/// Sends bytes past the channel's rules.
void babble(const std::string& bytes);
/// Dies as by a programming error.
[[noreturn]] void crash();
/// Dies as by the hand of another process.
[[noreturn]] void kill_self();
[[noreturn]] void hang();
