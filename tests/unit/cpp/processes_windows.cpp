// SPDX-License-Identifier: MIT
// Windows, and Wine.
#include "processes.h"

#ifndef NOMINMAX
#define NOMINMAX
#endif
#define WIN32_LEAN_AND_MEAN
#include <windows.h>

#include <tlhelp32.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <thread>

#include "platform/process.h"

namespace {

template <typename Entry, typename First, typename Next>
void for_each(DWORD what, First first, Next next, const std::function<void(const Entry&)>& visit) {
  const HANDLE snapshot = CreateToolhelp32Snapshot(what, 0);
  Entry entry{};
  entry.dwSize = sizeof entry;
  for (BOOL more = first(snapshot, &entry); more != 0; more = next(snapshot, &entry)) visit(entry);
  CloseHandle(snapshot);
}

using SuspendOrResume = LONG(WINAPI*)(HANDLE);

void call_system(const char* name, int id) {
  const auto function = reinterpret_cast<SuspendOrResume>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll"), name)));
  const HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, static_cast<DWORD>(id));
  function(process);
  CloseHandle(process);
}

HANDLE channel() {
  static const stemlane::NativeHandle handle = [] {
    stemlane::OwnedHandle copy;
    wchar_t text[100] = {};
    GetEnvironmentVariableW(L"STEMLANE_HANDLES", text, 100);  // see platform/windows/process.cpp
    return static_cast<stemlane::NativeHandle>(std::wcstoll(text, nullptr, 10));
  }();
  return reinterpret_cast<HANDLE>(handle);
}

}  // namespace

std::vector<int> children() {
  std::vector<int> ids;
  for_each<PROCESSENTRY32W>(TH32CS_SNAPPROCESS, Process32FirstW, Process32NextW, [&](const auto& entry) {
    // The console's own process is a child of whoever has the console.
    if (entry.th32ParentProcessID == GetCurrentProcessId() && _wcsicmp(entry.szExeFile, L"conhost.exe") != 0)
      ids.push_back(static_cast<int>(entry.th32ProcessID));
  });
  return ids;
}

// GetProcessHandleCount says 0 under Wine.
std::ptrdiff_t num_descriptors() {
  struct Entry {
    void* object;
    std::uintptr_t process;
    std::uintptr_t handle;
    std::uint32_t access_and_more[4];
  };
  constexpr int kSystemExtendedHandleInformation = 64;
  using Query = LONG(WINAPI*)(int, void*, ULONG, ULONG*);
  const auto query = reinterpret_cast<Query>(
      reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll"), "NtQuerySystemInformation")));
  std::vector<std::uintptr_t> words(1 << 20);
  ULONG size = 0;
  if (query(kSystemExtendedHandleInformation, words.data(),
            static_cast<ULONG>(words.size() * sizeof words[0]), &size) != 0)
    return -1;
  const auto* entries =
      reinterpret_cast<const Entry*>(words.data() + 2);  // behind the count and a spare word
  return std::count_if(entries, entries + words[0],
                       [](const Entry& entry) { return entry.process == GetCurrentProcessId(); });
}

std::ptrdiff_t num_threads() {
  std::ptrdiff_t count = 0;
  for_each<THREADENTRY32>(TH32CS_SNAPTHREAD, Thread32First, Thread32Next, [&](const auto& entry) {
    count += entry.th32OwnerProcessID == GetCurrentProcessId();
  });
  return count;
}

void kill_process(int id) {
  const HANDLE process = OpenProcess(PROCESS_TERMINATE, FALSE, static_cast<DWORD>(id));
  TerminateProcess(process, 9);
  CloseHandle(process);
}
const char* const kKilled = "exit status 9";

void stop_process(int id) {
  call_system("NtSuspendProcess", id);
}

void continue_process(int id) {
  call_system("NtResumeProcess", id);
}

bool is_signalled(const stemlane::Event& event) {
  const auto handle = reinterpret_cast<HANDLE>(event.handle());
  const bool signalled = WaitForSingleObject(handle, 0) == WAIT_OBJECT_0;
  if (signalled) SetEvent(handle);  // the wait has taken it
  return signalled;
}

int process_id() {
  return static_cast<int>(GetCurrentProcessId());
}

bool peek_message(void* message, std::size_t num_bytes) {
  for (DWORD there = 0; there < num_bytes;) {
    if (PeekNamedPipe(channel(), message, static_cast<DWORD>(num_bytes), &there, nullptr, nullptr) == 0)
      return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return true;
}

void babble(const std::string& bytes) {
  OVERLAPPED operation{};
  operation.hEvent = CreateEventW(nullptr, TRUE, FALSE, nullptr);
  DWORD size = 0;
  if (WriteFile(channel(), bytes.data(), static_cast<DWORD>(bytes.size()), nullptr, &operation) != 0 ||
      GetLastError() == ERROR_IO_PENDING)
    GetOverlappedResult(channel(), &operation, &size, TRUE);
  CloseHandle(operation.hEvent);
}

void crash() {
  RaiseException(EXCEPTION_ACCESS_VIOLATION, EXCEPTION_NONCONTINUABLE, 0, nullptr);
  abort();
}

void kill_self() {
  TerminateProcess(GetCurrentProcess(), 9);
  abort();
}

void hang() {
  for (;;) Sleep(INFINITE);
}
