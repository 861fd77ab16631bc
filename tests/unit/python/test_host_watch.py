# SPDX-License-Identifier: MIT
"""A command ends with its host, whatever it is doing."""

import os
import select
import signal
import socket
import subprocess
import sys
import time

import pytest
from stemlane.cli import host_watch

SCRIPT = """
import sys, time
from stemlane.cli.host_watch import end_with_host
end_with_host(int(sys.argv[1]))
print("works", flush=True)
time.sleep(60)
"""
# Starts the command and ends without a word; somebody else keeps the channel open.
HOST = """
import os, subprocess, sys
script, channel = sys.argv[1:]
command = [sys.executable, "-c", script, channel]
command = subprocess.Popen(command, pass_fds=[int(channel)], stdout=subprocess.PIPE)
command.stdout.readline()
print(command.pid, flush=True)
os._exit(1)
"""

REAL_POLL = getattr(select, "poll", None)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="a job of the system does it there")


def test_a_command_is_killed_when_the_channel_closes():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        command = [sys.executable, "-c", SCRIPT, str(theirs.fileno())]
        with subprocess.Popen(command, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True) as process:
            theirs.close()
            assert process.stdout.readline() == "works\n" and process.poll() is None
            ours.close()
            assert process.wait(30) == -signal.SIGKILL


def test_a_command_is_killed_when_its_parent_ends_and_a_fork_of_it_holds_the_channel():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        host = [sys.executable, "-c", HOST, SCRIPT, str(theirs.fileno())]
        done = subprocess.run(host, pass_fds=[theirs.fileno()], stdout=subprocess.PIPE, text=True, check=False)
        theirs.close()
        number = int(done.stdout)
        deadline = time.monotonic() + 30
        while is_running(number):
            assert time.monotonic() < deadline
            time.sleep(0.01)


def test_a_channel_that_is_closed_in_the_command_is_asked_once(monkeypatch):
    """The parent is asked on, and its end is the command's."""
    ours, theirs = socket.socketpair()
    channel = theirs.fileno()
    ours.close()
    theirs.close()
    answers, parents = [], [7] * 5 + [1]

    class Poll:
        def __init__(self):
            self._poll = REAL_POLL()
            self.register, self.unregister = self._poll.register, self._poll.unregister

        def poll(self, timeout):
            answers.append(self._poll.poll(timeout))
            return answers[-1]

    def kill(number, how):
        raise SystemExit(f"{number} {how}")

    monkeypatch.setattr(host_watch.select, "poll", Poll)
    monkeypatch.setattr(host_watch, "_ASK_EVERY_MS", 1)
    monkeypatch.setattr(host_watch.os, "getppid", lambda: parents.pop(0))
    monkeypatch.setattr(host_watch.os, "kill", kill)
    monkeypatch.setattr(host_watch.signal, "pthread_sigmask", lambda how, which: None)
    with pytest.raises(SystemExit, match=f"{os.getpid()} {int(signal.SIGKILL)}"):
        host_watch._watch(channel, 7)
    assert answers == [[(channel, select.POLLNVAL)], [], [], [], [], []]


def is_running(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    return True


def test_nothing_is_watched_where_there_is_no_channel():
    script = SCRIPT.replace("time.sleep(60)", "import threading; sys.exit(threading.active_count())")
    done = subprocess.run([sys.executable, "-c", script, "-1"], check=False)
    assert done.returncode == 1
