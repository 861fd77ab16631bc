// SPDX-License-Identifier: MIT
// A pair of sockets that carry bytes, so each message is preceded by its size. For systems whose
// sockets do not keep messages apart.
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include "platform/channel.h"
#include "platform/posix/sockets.h"

namespace stemlane {
namespace {

using Size = std::uint32_t;
constexpr std::size_t kHeaderBytes = sizeof(Size);

}  // namespace

/// The part of a message that has come so far.
struct Channel::State {
  std::array<char, kHeaderBytes + kLongestMessage> bytes{};
  std::size_t count = 0;
};

Channel::Channel(OwnedHandle handle) : handle_(std::move(handle)), state_(std::make_unique<State>()) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

std::optional<std::pair<Channel, Channel>> Channel::create(std::string& error) {
  const Descriptors ends = make_socket_pair();
  if (ends.first < 0) {
    error = std::string("no socket: ") + std::strerror(errno);
    return std::nullopt;
  }
  return std::pair(Channel(OwnedHandle(ends.first)), Channel(OwnedHandle(ends.second)));
}

bool Channel::send(const void* message, std::size_t num_bytes) noexcept {
  auto size = static_cast<Size>(num_bytes);
  iovec parts[] = {{&size, kHeaderBytes}, {const_cast<void*>(message), num_bytes}};
  msghdr all{};
  all.msg_iov = parts;
  all.msg_iovlen = 2;
  const int socket = descriptors_of(handle()).first;
  if (sendmsg(socket, &all, kAtOnce) == static_cast<ssize_t>(kHeaderBytes + num_bytes)) return true;
  shutdown(socket, SHUT_WR);  // half a message must not be followed by another one
  return false;
}

Channel::Received Channel::receive(void* message, std::size_t num_bytes, bool wait) noexcept {
  if (num_bytes > kLongestMessage) return Received::closed;
  const int socket = descriptors_of(handle()).first;
  State& state = *state_;
  bool was_reset = false;
  for (;;) {
    if (state.count >= kHeaderBytes) {
      Size size = 0;
      std::memcpy(&size, state.bytes.data(), kHeaderBytes);
      if (size != num_bytes) return Received::closed;
      if (state.count == kHeaderBytes + num_bytes) {
        std::memcpy(message, state.bytes.data() + kHeaderBytes, num_bytes);
        state.count = 0;
        return Received::message;
      }
    }
    // Nothing of the next message.
    const std::size_t wanted = kHeaderBytes + (state.count < kHeaderBytes ? 0 : num_bytes) - state.count;
    const ssize_t size = recv(socket, state.bytes.data() + state.count, wanted, wait ? 0 : MSG_DONTWAIT);
    if (size > 0) {
      state.count += static_cast<std::size_t>(size);
      continue;
    }
    if (size < 0 && errno == EAGAIN) return Received::nothing;
    if (size < 0 && errno == EINTR) continue;
    // An end that was closed with a message unread: that comes before what it said last.
    if (size < 0 && errno == ECONNRESET && !std::exchange(was_reset, true)) continue;
    return Received::closed;
  }
}

}  // namespace stemlane
