# SPDX-License-Identifier: MIT
"""Ends a command with the host that has started it, on systems that do not offer that; see cpp/platform/process.h."""

import os
import select
import signal
import threading

# How often it is asked who the parent is. The channel, which closes with the host, says it at once, unless a fork of
# the host still holds it.
_ASK_EVERY_MS = 1000


def end_with_host(channel: int) -> None:
    """Have this process killed as soon as the other end of a socket is closed, or its parent is another one.

    Parameters
    ----------
    channel
        The descriptor of the socket; below 0, nothing is watched.
    """
    if channel >= 0:
        threading.Thread(target=_watch, args=(channel, os.getppid()), daemon=True).start()


def _watch(channel: int, parent: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())  # they are for the main thread
    poll = select.poll()
    poll.register(channel, 0)  # its end alone
    while True:
        events = sum(events for _, events in poll.poll(_ASK_EVERY_MS))
        if events & (select.POLLHUP | select.POLLERR) or os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
        if events & select.POLLNVAL:  # closed in this process: it would say so at once, for ever
            poll.unregister(channel)
