// SPDX-License-Identifier: MIT
// The two halves of the engine: `stemlane-engine`, an executable without any Python, finds one,
// then hands over to libstemlane-engine.so, which is built against Python's headers.
#pragma once

namespace stemlane {

/// The functions of libstemlane-engine.so that are visible, `extern "C"`, with this signature.
/// The result is the exit status. `executable` is the Python to embed, null if one is running
/// already and this thread holds its lock. `packages` is a folder to search before its own, or
/// empty; `found_by` says where that Python was named, for messages.
using EngineEntry = int (*)(const char* executable, const char* packages, const char* found_by);

/// Serves the host until it leaves.
inline constexpr const char* kServe = "stemlane_engine";
/// Separates a little noise with the embedded models and prints what ran, or on standard error what
/// is wrong and what to do. Needs no host.
inline constexpr const char* kCheck = "stemlane_engine_check";

}  // namespace stemlane
