"""Runs a command that must not outlive its parent: it ends when stdin does, in whatever way the parent ended.

A script of its own, started with a pipe as stdin: the alternative, prctl, is Linux's alone and bound to a thread.
"""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path


def leashed(*command: str | Path) -> list[str | Path]:
    """The command on a leash: start this with a pipe as stdin, and hold the pipe."""
    return [sys.executable, "-I", "-S", Path(__file__), *command]


def main() -> int:
    """Start the command, hand on SIGTERM, kill at the end of stdin; the exit code is the command's."""
    # The parent decides what ends when: what a terminal sends to all is not for us, and not for the command.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    terminate = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: terminate.set())
    command = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, start_new_session=True)  # noqa: S603 - the parent's
    signal.signal(signal.SIGTERM, lambda *_: command.terminate())
    if terminate.is_set():
        command.terminate()

    def kill_at_end() -> None:
        while os.read(0, 1024):  # not sys.stdin, whose lock a thread must not hold when the interpreter ends
            pass
        command.kill()

    threading.Thread(target=kill_at_end, daemon=True).start()
    return command.wait()


if __name__ == "__main__":
    sys.exit(main())
