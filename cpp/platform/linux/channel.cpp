// SPDX-License-Identifier: MIT
// A pair of sockets that keep messages apart.
#include "platform/channel.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace stemlane {

struct Channel::State {};  // each message is read whole

Channel::Channel(OwnedHandle handle) : handle_(std::move(handle)) {}
Channel::Channel(Channel&&) noexcept = default;
Channel& Channel::operator=(Channel&&) noexcept = default;
Channel::~Channel() = default;

std::optional<std::pair<Channel, Channel>> Channel::create(std::string& error) {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    error = std::string("no socket: ") + std::strerror(errno);
    return std::nullopt;
  }
  return std::pair(Channel(OwnedHandle(ends[0])), Channel(OwnedHandle(ends[1])));
}

bool Channel::send(const void* message, std::size_t num_bytes) noexcept {
  return ::send(static_cast<int>(handle()), message, num_bytes, MSG_NOSIGNAL) ==
         static_cast<ssize_t>(num_bytes);
}

Channel::Received Channel::receive(void* message, std::size_t num_bytes, bool wait) noexcept {
  const auto socket = static_cast<int>(handle());
  // MSG_TRUNC: the size of the message as it was sent.
  const int flags = MSG_TRUNC | (wait ? 0 : MSG_DONTWAIT);
  ssize_t size = recv(socket, message, num_bytes, flags);
  // An end that was closed with a message unread: that comes before what it said last.
  if (size < 0 && errno == ECONNRESET) size = recv(socket, message, num_bytes, flags);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return Received::nothing;
  return size == static_cast<ssize_t>(num_bytes) ? Received::message : Received::closed;
}

}  // namespace stemlane
