// SPDX-License-Identifier: MIT
// A named pipe that keeps messages apart, connected at once and to nobody else. A pipe cannot be waited
// for, only a read that is under way, so each end reads ahead by one message.
#include "platform/channel.h"

#include <array>
#include <atomic>
#include <cstring>

#include "platform/event.h"
#include "platform/windows/system.h"

namespace stemlane {

/// The read that is under way.
struct Channel::State {
  explicit State(NativeHandle handle) noexcept
      : pipe(as_handle(handle)), done(as_owned(CreateEventW(nullptr, TRUE, FALSE, nullptr))) {}
  ~State() {
    if (!reading) return;
    // The system writes into the buffer until it says that it does not.
    CancelIoEx(pipe, &operation);
    DWORD size = 0;
    GetOverlappedResult(pipe, &operation, &size, TRUE);
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Has a read under way, unless the other end is gone.
  void read_ahead() noexcept {
    if (reading || closed) return;
    operation = {};
    operation.hEvent = as_handle(done.get());
    reading = ReadFile(pipe, bytes.data(), static_cast<DWORD>(bytes.size()), nullptr, &operation) != 0 ||
              GetLastError() == ERROR_IO_PENDING;
    closed = !reading;
  }
  bool is_done() const noexcept {
    return closed || WaitForSingleObject(as_handle(done.get()), 0) == WAIT_OBJECT_0;
  }

  HANDLE pipe;
  OwnedHandle done;
  OVERLAPPED operation{};
  std::array<char, kLongestMessage> bytes{};
  bool reading = false;
  bool closed = false;  ///< the other end is gone, or has said what it may not
};

Channel::Channel(OwnedHandle handle)
    : handle_(std::move(handle)), state_(std::make_unique<State>(handle_.get())) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

std::optional<std::pair<Channel, Channel>> Channel::create(std::string& error) {
  static std::atomic<unsigned> number{0};
  constexpr DWORD kBufferBytes = 65536;
  const std::wstring name = L"\\\\.\\pipe\\stemlane-" + std::to_wstring(GetCurrentProcessId()) + L"-" +
                            std::to_wstring(number.fetch_add(1)) + L"-" + std::to_wstring(GetTickCount64());
  // One instance, made here: nobody else can be at the other end of it once the second call has succeeded.
  OwnedHandle one = as_owned(CreateNamedPipeW(
      name.c_str(), PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | FILE_FLAG_FIRST_PIPE_INSTANCE,
      PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS, 1, kBufferBytes, kBufferBytes,
      0, nullptr));
  OwnedHandle other = !one ? OwnedHandle()
                           : as_owned(CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr,
                                                  OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr));
  DWORD mode = PIPE_READMODE_MESSAGE;
  if (!other || SetNamedPipeHandleState(as_handle(other.get()), &mode, nullptr, nullptr) == 0) {
    error = last_error("no pipe");
    return std::nullopt;
  }
  return std::pair(Channel(std::move(one)), Channel(std::move(other)));
}

bool Channel::send(const void* message, std::size_t num_bytes) noexcept {
  const HANDLE pipe = as_handle(handle());
  const OwnedHandle done = as_owned(CreateEventW(nullptr, TRUE, FALSE, nullptr));
  OVERLAPPED operation{};
  operation.hEvent = as_handle(done.get());
  if (WriteFile(pipe, message, static_cast<DWORD>(num_bytes), nullptr, &operation) == 0 &&
      GetLastError() != ERROR_IO_PENDING)
    return false;
  if (WaitForSingleObject(operation.hEvent, 0) != WAIT_OBJECT_0) CancelIoEx(pipe, &operation);  // full
  DWORD size = 0;
  return GetOverlappedResult(pipe, &operation, &size, TRUE) != 0 && size == num_bytes;
}

Channel::Received Channel::receive(void* message, std::size_t num_bytes, bool wait) noexcept {
  State& state = *state_;
  state.read_ahead();
  if (state.closed) return Received::closed;
  if (!wait && !state.is_done()) return Received::nothing;
  DWORD size = 0;
  const bool complete = GetOverlappedResult(state.pipe, &state.operation, &size, TRUE) != 0;
  state.reading = false;
  state.closed = !complete || size != num_bytes;
  if (state.closed) return Received::closed;
  std::memcpy(message, state.bytes.data(), num_bytes);
  return Received::message;
}

bool Channel::has_news() const noexcept {
  state_->read_ahead();
  return state_->is_done();
}

bool wait_for_either(Event& event, const Channel* channel, int timeout_ms) noexcept {
  if (channel != nullptr && channel->has_news()) return true;
  HANDLE watched[2] = {as_handle(event.handle()), nullptr};
  if (channel != nullptr) watched[1] = as_handle(channel->state_->done.get());
  WaitForMultipleObjects(channel != nullptr ? 2 : 1, watched, FALSE, static_cast<DWORD>(timeout_ms));
  return channel != nullptr && channel->has_news();
}

}  // namespace stemlane
