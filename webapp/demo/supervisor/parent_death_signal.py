"""Run a command that ends when the process that asked for it is gone, killed outright included (Linux only)."""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1  # linux/prctl.h; the setting survives the exec below


def run_with_parent_death_signal(parent: int, command: list[str]) -> None:
    """Become `command`, to be sent SIGTERM when the process `parent` ends."""
    if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGTERM)) != 0:
        sys.exit("This system does not tell a process that its parent has ended.")
    if os.getppid() != parent:  # it ended before the line above took effect
        sys.exit("The process that asked for this one is gone.")
    try:
        os.execvp(command[0], command)  # noqa: S606 (a shell in between would be the one on the leash)
    except OSError as error:
        sys.exit(f"Cannot start {command[0]}: {error.strerror}")


if __name__ == "__main__":
    run_with_parent_death_signal(int(sys.argv[1]), sys.argv[2:])
