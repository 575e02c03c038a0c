"""Forks child processes from this one, after it has loaded the application, so that its code is in memory only once."""

import atexit
import ctypes
import multiprocessing
import os
import runpy
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.context import ForkProcess
from pathlib import Path
from signal import SIG_DFL, SIG_IGN, SIGHUP, SIGINT, SIGTERM

from webapp.demo.supervisor.parent_death_signal import end_with_parent
from webapp.demo.supervisor.processes import Child, open_log

PR_SET_NAME = 15  # linux/prctl.h

_SIGNALS = (SIGTERM, SIGINT, SIGHUP)


@dataclass(frozen=True)
class ForkedProcess:
    """A forked child process: works like a `Popen`."""

    process: ForkProcess

    @property
    def pid(self) -> int:
        """Its id."""
        assert self.process.pid is not None
        return self.process.pid

    def poll(self) -> int | None:
        """Return its exit code (negative: the signal that ended it), or None while it runs."""
        return self.process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return its exit code. Raises `TimeoutError`."""
        self.process.join(timeout)
        if self.process.exitcode is None:
            raise TimeoutError
        return self.process.exitcode


@dataclass(frozen=True)
class _Module:
    """A module to run with its arguments, and what its process is given: its variables, its directory, its name."""

    words: Sequence[str]
    environment: Mapping[str, str]
    directory: Path
    name: str


def start_fork(name: str, words: Sequence[str], *, log: Path, environment: Mapping[str, str], directory: Path) -> Child:
    """Run a module with arguments as `python -m` does, but in a fork of this process, and append its output to `log`.

    environment: all its variables. directory: its working directory. On Linux, it ends when this process ends.
    """
    module = _Module(words, environment, directory, f"demo-{name}")
    with open_log(log) as output:
        # Signals stay blocked until the child has its own handlers: those of this process would lose them.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        try:
            arguments = (module, output.fileno(), os.getpid(), mask)
            process = multiprocessing.get_context("fork").Process(target=_run, args=arguments)
            process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        child = Child(name, log, output.tell(), ForkedProcess(process))
    _wait_for_session(child)
    return child


def _wait_for_session(child: Child) -> None:
    """Return when the child has a session of its own, by which it can be stopped."""
    with suppress(ProcessLookupError):
        while child.exit_code() is None and os.getsid(child.pid) != child.pid:
            time.sleep(0.001)


def _run(module: _Module, log: int, parent: int, mask: set[int]) -> None:
    """Do in the child what a new process does."""
    os.setsid()
    _reset_signals(mask)
    if sys.platform == "linux":
        end_with_parent(parent)
        ctypes.CDLL(None).prctl(PR_SET_NAME, module.name.encode())
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(module.directory)
    os.environ.clear()
    os.environ.update(module.environment)
    time.tzset()
    sys.argv = list(module.words)
    try:
        runpy.run_module(module.words[0], run_name="__main__", alter_sys=True)
    finally:
        atexit._run_exitfuncs()


def _reset_signals(mask: set[int]) -> None:
    """Give the child the handlers of a new process. What is ignored (SIGHUP, by nohup) stays ignored."""
    for number in _SIGNALS:
        if signal.getsignal(number) != SIG_IGN:
            signal.signal(number, signal.default_int_handler if number == SIGINT else SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, mask)
