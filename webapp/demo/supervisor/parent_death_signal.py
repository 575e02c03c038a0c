"""Runs a command that ends when its parent process ends, even if the parent was killed (Linux only)."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; the setting survives the exec below


def end_with_parent(parent: int) -> None:
    """Let this process get SIGTERM when the process `parent` ends."""
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM)) != 0:
        sys.exit("This system cannot signal a process when its parent ends.")
    if os.getppid() != parent:  # it ended before the line above took effect
        sys.exit("The parent process has already ended.")


def run_with_parent_death_signal(parent: int, command: list[str]) -> None:
    """Replace this process with `command`, which gets SIGTERM when the process `parent` ends."""
    end_with_parent(parent)
    try:
        os.execvp(command[0], command)  # noqa: S606 (a shell in between would get the signal instead)
    except OSError as error:
        sys.exit(f"Cannot start {command[0]}: {error.strerror}")


if __name__ == "__main__":
    run_with_parent_death_signal(int(sys.argv[1]), sys.argv[2:])
