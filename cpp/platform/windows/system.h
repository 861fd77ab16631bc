// SPDX-License-Identifier: MIT
// What the Windows files of this folder share.
#pragma once

#ifndef NOMINMAX
#define NOMINMAX
#endif
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "platform/native_handle.h"

namespace stemlane {

inline HANDLE as_handle(NativeHandle handle) noexcept {
  return reinterpret_cast<HANDLE>(handle);
}

/// Of a function that returns null or INVALID_HANDLE_VALUE where it fails.
inline OwnedHandle as_owned(HANDLE handle) noexcept {
  return handle == nullptr ? OwnedHandle() : OwnedHandle(reinterpret_cast<NativeHandle>(handle));
}

/// Text of this project is UTF-8.
std::wstring to_wide(std::string_view text);
std::string to_utf8(std::wstring_view text);

/// What the system says about its last error.
std::string last_error(const char* what);

inline DWORD to_milliseconds(std::int64_t nanoseconds) noexcept {
  // Up to the next one, so that a short wait is one; INFINITE is none of them.
  const std::int64_t milliseconds = nanoseconds / 1'000'000 + (nanoseconds % 1'000'000 != 0 ? 1 : 0);
  return static_cast<DWORD>(std::clamp(milliseconds, std::int64_t{0}, std::int64_t{0x7FFFFFFF}));
}

}  // namespace stemlane
