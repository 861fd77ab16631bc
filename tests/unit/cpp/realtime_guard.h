/* SPDX-License-Identifier: MIT */
/* Counts the calls of this thread that an audio thread must not make: memory, locks,
   waits, files, sockets, processes. The functions are replaced in the test executable;
   realtime_guard.c has the list. Without effect under the sanitizers, which replace them
   too. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

void realtime_guard_arm(void);
/* Stops counting; returns the number of calls since `arm`. */
long realtime_guard_disarm(void);
/* Name of the first of them. */
const char* realtime_guard_first(void);
/* From now on this thread can start no other one; 0: it can again. */
void realtime_guard_refuse_threads(int refuse);

#ifdef __cplusplus
}

#include <string>

/// Counts while it lives.
class RealtimeGuard {
 public:
  RealtimeGuard() noexcept { realtime_guard_arm(); }
  ~RealtimeGuard() { finish(); }
  RealtimeGuard(const RealtimeGuard&) = delete;
  RealtimeGuard& operator=(const RealtimeGuard&) = delete;

  /// Stops counting and returns the number of calls.
  long finish() noexcept {
    if (armed_) count_ = realtime_guard_disarm();
    armed_ = false;
    return count_;
  }
  /// After `finish`: the first forbidden function, empty if there was none.
  std::string first() const { return count_ > 0 ? realtime_guard_first() : ""; }

 private:
  bool armed_ = true;
  long count_ = 0;
};
#endif
