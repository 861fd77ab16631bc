// SPDX-License-Identifier: MIT
// Handles, texts and errors.
#include "platform/windows/system.h"

namespace stemlane {

void close_handle(NativeHandle handle) noexcept {
  CloseHandle(as_handle(handle));
}

OwnedHandle duplicate_handle(NativeHandle handle) noexcept {
  HANDLE copy = nullptr;
  const HANDLE self = GetCurrentProcess();
  DuplicateHandle(self, as_handle(handle), self, &copy, 0, FALSE, DUPLICATE_SAME_ACCESS);
  return as_owned(copy);
}

std::wstring to_wide(std::string_view text) {
  const auto size = static_cast<int>(text.size());
  std::wstring wide(static_cast<std::size_t>(MultiByteToWideChar(CP_UTF8, 0, text.data(), size, nullptr, 0)),
                    L'\0');
  MultiByteToWideChar(CP_UTF8, 0, text.data(), size, wide.data(), static_cast<int>(wide.size()));
  return wide;
}

std::string to_utf8(std::wstring_view text) {
  const auto size = static_cast<int>(text.size());
  const int needed = WideCharToMultiByte(CP_UTF8, 0, text.data(), size, nullptr, 0, nullptr, nullptr);
  std::string narrow(static_cast<std::size_t>(needed), '\0');
  WideCharToMultiByte(CP_UTF8, 0, text.data(), size, narrow.data(), needed, nullptr, nullptr);
  return narrow;
}

std::string last_error(const char* what) {
  const DWORD code = GetLastError();
  wchar_t text[256];
  const DWORD size = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr, code,
                                    0, text, static_cast<DWORD>(std::size(text)), nullptr);
  std::wstring_view said(text, size);
  while (!said.empty() && (said.back() < L' ' || said.back() == L'.' || said.back() == L' '))
    said.remove_suffix(1);
  return std::string(what) + ": " + (said.empty() ? "error " + std::to_string(code) : to_utf8(said));
}

}  // namespace stemlane
