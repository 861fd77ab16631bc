// SPDX-License-Identifier: MIT
// A pair of connected sockets, the portable way.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/posix/descriptors.h"

namespace stemlane {

// Each call says that it does not wait: the flag of the descriptor could be changed by the process
// that has the other end.
#ifdef MSG_NOSIGNAL
inline constexpr int kAtOnce = MSG_DONTWAIT | MSG_NOSIGNAL;
#else  // macOS: SO_NOSIGPIPE below
inline constexpr int kAtOnce = MSG_DONTWAIT;
#endif

/// Two descriptors; -1 and -1, with errno set, if the system refuses.
inline Descriptors make_socket_pair() noexcept {
  int ends[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return {};
  for (const int end : ends) {
    // Not at once, as with SOCK_CLOEXEC, which macOS has not: a program that another thread of the
    // host starts right now inherits them. bind_to_parent() looks at the parent, too, therefore.
    fcntl(end, F_SETFD, FD_CLOEXEC);
#ifdef SO_NOSIGPIPE
    const int on = 1;
    setsockopt(end, SOL_SOCKET, SO_NOSIGPIPE, &on, sizeof on);
#endif
  }
  return {ends[0], ends[1]};
}

}  // namespace stemlane
