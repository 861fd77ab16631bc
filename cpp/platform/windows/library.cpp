// SPDX-License-Identifier: MIT
// LoadLibraryEx, which is told where to look: System32 may hold an onnxruntime.dll of somebody else.
#include "platform/library.h"

#include "platform/windows/system.h"

namespace stemlane {
namespace {

std::filesystem::path file_of(HMODULE module) {
  std::wstring path(MAX_PATH, L'\0');
  for (;;) {
    const DWORD size = GetModuleFileNameW(module, path.data(), static_cast<DWORD>(path.size()));
    if (size < path.size()) return path.substr(0, size);
    path.resize(path.size() * 2);
  }
}

}  // namespace

void* open_library(const std::filesystem::path& path, bool, std::string& error) {
  std::filesystem::path native = path;
  native.make_preferred();  // an absolute path with slashes is none for this function
  const HMODULE library = LoadLibraryExW(native.c_str(), nullptr,
                                         LOAD_LIBRARY_SEARCH_DLL_LOAD_DIR | LOAD_LIBRARY_SEARCH_SYSTEM32);
  if (library == nullptr) error = last_error("it does not load");
  return reinterpret_cast<void*>(library);
}

void* function_of(void* library, const char* name) noexcept {
  return reinterpret_cast<void*>(GetProcAddress(static_cast<HMODULE>(library), name));
}

std::filesystem::path binary_around(const void* address) {
  HMODULE module = nullptr;
  const DWORD flags = GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT;
  if (GetModuleHandleExW(flags, static_cast<LPCWSTR>(address), &module) == 0) return {};
  return file_of(module);
}

}  // namespace stemlane
