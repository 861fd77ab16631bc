// SPDX-License-Identifier: MIT
// What an engine process does before anything else, so that it never outlives its host
// and never takes the machine's last memory from it.
#pragma once

namespace stemlane {

/// Has the system kill this process when the thread that started it ends (the supervisor
/// of engine_process.h, which lives as long as the host wants an engine), even if it is
/// stopped or stuck by then; and makes it the one to go when memory runs out.
void be_a_good_child() noexcept;

}  // namespace stemlane
