// SPDX-License-Identifier: MIT
// CreateProcess, in a job that ends with this process. The child reads the numbers of its handles from
// its environment: the channel first.
#include "platform/process.h"

#include "platform/library.h"
#include "platform/windows/system.h"

#include <psapi.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cwchar>
#include <memory>
#include <utility>
#include <vector>

namespace stemlane {
namespace {

constexpr const wchar_t* kHandlesVariable = L"STEMLANE_HANDLES";
constexpr DWORD kKilledStatus = 9;

std::wstring variable(const wchar_t* name) {
  std::wstring value(GetEnvironmentVariableW(name, nullptr, 0), L'\0');
  value.resize(GetEnvironmentVariableW(name, value.data(), static_cast<DWORD>(value.size())));
  return value;
}

bool is_named(std::wstring_view entry, std::wstring_view prefix) {
  return _wcsnicmp(entry.data(), prefix.data(), prefix.size()) == 0;
}

/// Of a child: ours without the settings of another Python, and with the numbers of its handles.
std::wstring environment_with(const std::wstring& handles) {
  std::vector<std::wstring> entries = {std::wstring(kHandlesVariable) + L"=" + handles};
  wchar_t* const ours = GetEnvironmentStringsW();
  for (const wchar_t* entry = ours; *entry != L'\0'; entry += std::wcslen(entry) + 1)
    if (!is_named(entry, L"PYTHON") && !is_named(entry, kHandlesVariable)) entries.emplace_back(entry);
  FreeEnvironmentStringsW(ours);
  // The system asks for this order.
  std::sort(entries.begin(), entries.end(),
            [](const std::wstring& a, const std::wstring& b) { return _wcsicmp(a.c_str(), b.c_str()) < 0; });
  std::wstring block;
  for (const std::wstring& entry : entries) block += entry + L'\0';
  return block + L'\0';
}

/// Handles that a child inherits, and nobody else: those of the list alone.
class Inheritance {
 public:
  /// Null if the system refuses.
  HANDLE add(HANDLE original) {
    HANDLE copy = nullptr;
    const HANDLE self = GetCurrentProcess();
    if (DuplicateHandle(self, original, self, &copy, 0, TRUE, DUPLICATE_SAME_ACCESS) == 0) return nullptr;
    owned_.push_back(as_owned(copy));
    handles_.push_back(copy);
    return copy;
  }
  HANDLE add_file(const wchar_t* path, DWORD access) {
    OwnedHandle file = as_owned(CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                                            access == GENERIC_READ ? OPEN_EXISTING : OPEN_ALWAYS,
                                            FILE_ATTRIBUTE_NORMAL, nullptr));
    return file ? add(as_handle(file.get())) : nullptr;
  }

  std::vector<HANDLE>& handles() { return handles_; }

 private:
  std::vector<OwnedHandle> owned_;
  std::vector<HANDLE> handles_;
};

/// What a child is born with; it points to what it was given. Born into its job, a child ends with us at any
/// moment: one that joins later stays behind if we end before.
class BirthAttributes {
 public:
  BirthAttributes(OwnedHandle& job, std::vector<HANDLE>* inherited) : job_(as_handle(job.get())) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, kMost, 0, &size);
    memory_.resize(size);
    const auto list = reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    if (InitializeProcThreadAttributeList(list, kMost, 0, &size) == 0) return;
    list_ = list;
    is_whole_ = add(PROC_THREAD_ATTRIBUTE_JOB_LIST, &job_, sizeof job_) &&
                (inherited == nullptr || add(PROC_THREAD_ATTRIBUTE_HANDLE_LIST, inherited->data(),
                                             inherited->size() * sizeof(HANDLE)));
  }
  ~BirthAttributes() {
    if (list_ != nullptr) DeleteProcThreadAttributeList(list_);
  }
  BirthAttributes(const BirthAttributes&) = delete;
  BirthAttributes& operator=(const BirthAttributes&) = delete;

  /// Null if the system refuses.
  LPPROC_THREAD_ATTRIBUTE_LIST get() const { return is_whole_ ? list_ : nullptr; }

 private:
  static constexpr DWORD kMost = 2;
  bool add(DWORD_PTR attribute, void* values, std::size_t num_bytes) {
    return UpdateProcThreadAttribute(list_, 0, attribute, values, num_bytes, nullptr, nullptr) != 0;
  }

  HANDLE job_;
  std::vector<char> memory_;
  LPPROC_THREAD_ATTRIBUTE_LIST list_ = nullptr;
  bool is_whole_ = false;
};

/// Ends its processes with the last handle to it, which is ours.
OwnedHandle make_job() {
  OwnedHandle job = as_owned(CreateJobObjectW(nullptr, nullptr));
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags =
      JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE | JOB_OBJECT_LIMIT_DIE_ON_UNHANDLED_EXCEPTION;
  if (job && SetInformationJobObject(as_handle(job.get()), JobObjectExtendedLimitInformation, &limits,
                                     sizeof limits) == 0)
    return {};
  return job;
}

/// An argument as the C library of the child takes it apart again: "Parsing C command-line arguments",
/// https://learn.microsoft.com/cpp/c-language/parsing-c-command-line-arguments
std::wstring quoted(const std::wstring& argument) {
  std::wstring text = L"\"";
  std::size_t num_backslashes = 0;
  for (const wchar_t character : argument) {
    if (character == L'"') text.append(num_backslashes + 1, L'\\');
    num_backslashes = character == L'\\' ? num_backslashes + 1 : 0;
    text += character;
  }
  return text.append(num_backslashes, L'\\') + L'"';
}

std::wstring command_line(const std::wstring& executable, const std::vector<std::string>& arguments) {
  std::wstring command = quoted(executable);
  for (const std::string& argument : arguments) command += L' ' + quoted(to_wide(argument));
  return command;
}

/// A process in the job; none, with the system's last error set, if that fails.
PROCESS_INFORMATION create_in(OwnedHandle& job, const Program& program, const std::wstring& handles,
                              Inheritance& inheritance) {
  const std::wstring executable = to_wide(program.executable);
  const std::wstring log =
      program.output.empty() ? variable(L"STEMLANE_ENGINE_LOG") : to_wide(program.output);
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof startup;
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  startup.StartupInfo.hStdInput = inheritance.add_file(L"NUL", GENERIC_READ);
  startup.StartupInfo.hStdOutput = inheritance.add_file(log.empty() ? L"NUL" : log.c_str(), FILE_APPEND_DATA);
  startup.StartupInfo.hStdError = startup.StartupInfo.hStdOutput;
  const BirthAttributes attributes(job, &inheritance.handles());
  startup.lpAttributeList = attributes.get();
  PROCESS_INFORMATION process{};
  if (startup.lpAttributeList == nullptr) return process;
  std::wstring command = command_line(executable, program.arguments);
  std::wstring environment = environment_with(handles);
  // A group of its own: a console's interrupt is the parent's business.
  constexpr DWORD kFlags = CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP | CREATE_UNICODE_ENVIRONMENT |
                           EXTENDED_STARTUPINFO_PRESENT | NORMAL_PRIORITY_CLASS;
  CreateProcessW(executable.c_str(), command.data(), nullptr, nullptr, TRUE, kFlags, environment.data(),
                 nullptr, &startup.StartupInfo, &process);
  return process;
}

/// Number `index` of those in the environment: 0 is the channel.
OwnedHandle inherited(int index) noexcept {
  const std::wstring text = variable(kHandlesVariable);
  const wchar_t* position = text.c_str();
  for (int i = 0; position != nullptr && i < index; ++i) {
    position = std::wcschr(position, L',');
    if (position != nullptr) ++position;
  }
  if (position == nullptr || *position == L'\0') return {};
  return OwnedHandle(static_cast<NativeHandle>(std::wcstoll(position, nullptr, 10)));
}

}  // namespace

std::optional<ChildProcess> ChildProcess::start(const Program& program, std::span<const NativeHandle> handles,
                                                std::string& error) {
  auto ends = Channel::create(error);
  if (!ends) return std::nullopt;
  Inheritance inheritance;
  std::wstring numbers;
  const auto pass_on = [&](NativeHandle handle) {
    const HANDLE copy = inheritance.add(as_handle(handle));
    numbers += (numbers.empty() ? L"" : L",") + std::to_wstring(reinterpret_cast<NativeHandle>(copy));
  };
  pass_on(ends->second.handle());
  for (const NativeHandle handle : handles) pass_on(handle);

  OwnedHandle job = make_job();
  if (!job) {
    error = last_error("no job");
    return std::nullopt;
  }
  const PROCESS_INFORMATION created = create_in(job, program, numbers, inheritance);
  OwnedHandle process = as_owned(created.hProcess);
  const OwnedHandle thread = as_owned(created.hThread);
  if (!process) {
    error = last_error("the system refuses");
    return std::nullopt;
  }
  return ChildProcess(process.release(), std::move(job), std::move(ends->first));
}

std::int64_t ChildProcess::resident_bytes() const {
  PROCESS_MEMORY_COUNTERS counters{};
  const bool known = K32GetProcessMemoryInfo(as_handle(process_), &counters, sizeof counters) != 0;
  return known ? static_cast<std::int64_t>(counters.WorkingSetSize) : 0;
}

void ChildProcess::interrupt() const noexcept {
  // Without a console there is nobody to ask.
  TerminateJobObject(as_handle(job_.get()), kKilledStatus);
}

std::string ChildProcess::end(int grace_period_ms) {
  const OwnedHandle process(process_);
  const HANDLE handle = as_handle(process_);
  if (WaitForSingleObject(handle, static_cast<DWORD>(grace_period_ms)) != WAIT_OBJECT_0)
    TerminateProcess(handle, kKilledStatus);
  // Until it is gone: it still holds the shared memory.
  WaitForSingleObject(handle, INFINITE);
  DWORD status = 0;
  if (GetExitCodeProcess(handle, &status) == 0) return "status unknown";
  constexpr DWORD kFirstException = 0xC0000000;
  if (status < kFirstException) return "exit status " + std::to_string(status);
  char text[32];
  std::snprintf(text, sizeof text, "exception 0x%08lX", status);
  return text;
}

bool is_executable(const std::string& path) noexcept {
  const DWORD attributes = GetFileAttributesW(to_wide(path).c_str());
  return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) == 0;
}

bool is_child_process() noexcept {
  return GetEnvironmentVariableW(kHandlesVariable, nullptr, 0) != 0;
}

Channel inherited_channel() noexcept {
  return Channel(inherited(0));
}

OwnedHandle inherited_handle(int index) noexcept {
  return inherited(1 + index);
}

void bind_to_parent() noexcept {
  // The job does it. A crash is the host's to tell; no window over the music.
  SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX | SEM_NOOPENFILEERRORBOX);
}

void name_process(const char*) noexcept {
  // A process has the name of its file.
}

void be_first_when_out_of_memory() noexcept {
  // Here an allocation fails, and whoever asked for it has to bear it.
}

std::filesystem::path executable_path() {
  return binary_around(reinterpret_cast<const void*>(&executable_path));
}

int parent_descriptor() noexcept {
  return -1;  // the job does it
}

std::string become(const std::filesystem::path& program, const std::vector<std::string>& arguments,
                   const std::filesystem::path& library_folder) {
  if (!library_folder.empty()) {
    const std::wstring path = library_folder.wstring() + L';' + variable(L"PATH");
    SetEnvironmentVariableW(L"PATH", path.c_str());
  }
  OwnedHandle job = make_job();
  if (!job) return last_error("no job");
  const BirthAttributes attributes(job, nullptr);
  STARTUPINFOEXW startup{};
  startup.StartupInfo.cb = sizeof startup;
  startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;  // as they were inherited, or as the console has them
  startup.StartupInfo.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
  startup.StartupInfo.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
  startup.StartupInfo.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  startup.lpAttributeList = attributes.get();
  std::wstring command = command_line(program.wstring(), arguments);
  PROCESS_INFORMATION created{};
  if (startup.lpAttributeList == nullptr ||
      CreateProcessW(program.c_str(), command.data(), nullptr, nullptr, TRUE, EXTENDED_STARTUPINFO_PRESENT,
                     nullptr, nullptr, &startup.StartupInfo, &created) == 0)
    return last_error("the system refuses");
  WaitForSingleObject(created.hProcess, INFINITE);
  DWORD status = 1;
  GetExitCodeProcess(created.hProcess, &status);
  std::_Exit(static_cast<int>(status));
}

bool can_map(std::size_t num_bytes) noexcept {
  MEMORYSTATUSEX status{};
  status.dwLength = sizeof status;
  return GlobalMemoryStatusEx(&status) != 0 && status.ullAvailPageFile > num_bytes &&
         status.ullAvailVirtual > num_bytes;
}

void return_free_memory() noexcept {
  HeapCompact(GetProcessHeap(), 0);
}

}  // namespace stemlane
