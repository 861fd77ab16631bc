// SPDX-License-Identifier: MIT
// What the audio thread promises: a marker for the functions it runs, which the
// real-time sanitizer checks where the compiler has one, and a scope guard that
// flushes denormal numbers to zero.
#pragma once

#include <cstdint>

#if defined(__x86_64__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

#if defined(__clang__) && __has_cpp_attribute(clang::nonblocking)
#define STEMLANE_REALTIME [[clang::nonblocking]]
#else
#define STEMLANE_REALTIME
#endif

namespace stemlane {

/// Sets flush-to-zero and denormals-are-zero for its scope and restores the
/// host's setting afterwards. Any thread.
class DenormalGuard {
 public:
#if defined(__x86_64__) || defined(_M_X64)
  DenormalGuard() noexcept : saved_(_mm_getcsr()) {
    _mm_setcsr(saved_ | 0x8040U);
  }
  ~DenormalGuard() {
    _mm_setcsr(saved_);
  }
#elif defined(__aarch64__)
  DenormalGuard() noexcept {
    asm volatile("mrs %0, fpcr" : "=r"(saved_));
    const std::uint64_t flushed = saved_ | (std::uint64_t{1} << 24U);
    asm volatile("msr fpcr, %0" : : "r"(flushed));
  }
  ~DenormalGuard() {
    asm volatile("msr fpcr, %0" : : "r"(saved_));
  }
#else
  DenormalGuard() noexcept = default;
#endif
  DenormalGuard(const DenormalGuard&) = delete;
  DenormalGuard& operator=(const DenormalGuard&) = delete;

 private:
#if defined(__aarch64__)
  std::uint64_t saved_ = 0;
#else
  [[maybe_unused]] unsigned saved_ = 0;
#endif
};

}  // namespace stemlane
