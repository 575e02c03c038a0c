"""Pytest plugin: the workers of a run are forks of a process that has imported the tests once for all of them.

Each fork then finds its tests as a new worker does. A worker that replaces one that crashed is a new process.
"""

import atexit
import gc
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

import pytest
from execnet import XSpec, gateway_io
from execnet.gateway_base import ExecModel, Popen2IO
from hypothesis.internal.conjecture.providers import _get_local_constants

_create_io: Callable[..., Any] = gateway_io.create_io


class Fork:
    """A forked worker, with what execnet uses of a `subprocess.Popen`."""

    def __init__(self, before: Sequence["Fork"]) -> None:
        (its_input, to_it), (from_it, its_output) = os.pipe(), os.pipe()
        self.stdin, self.stdout = os.fdopen(to_it, "wb"), os.fdopen(from_it, "rb")
        self.pid = os.fork()
        if self.pid == 0:
            for fork in (*before, self):  # or it would not notice that this process has ended
                fork.stdin.close()
                fork.stdout.close()
            _serve(its_input, its_output)
        os.close(its_input)
        os.close(its_output)

    def wait(self) -> int:
        """Return the exit code when it has ended."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def kill(self) -> None:
        """End it at once, if it runs."""
        os.kill(self.pid, signal.SIGKILL)


class ForkIO(gateway_io.Popen2IOMaster):
    """The connection to a forked worker."""

    def __init__(self, fork: Fork, execmodel: ExecModel) -> None:
        self.popen = fork
        Popen2IO.__init__(self, fork.stdin, fork.stdout, execmodel=execmodel)


def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[XSpec]) -> None:
    """Fork the workers, before execnet starts a thread. To measure coverage, each worker has to import for itself."""
    if config.pluginmanager.hasplugin("_cov") or not hasattr(os, "fork") or threading.active_count() > 1:
        return
    _import_tests(config)
    gc.freeze()  # or each fork would copy all of it when it looks for garbage
    forks: list[Fork] = []
    for _ in specs:
        forks.append(Fork(forks))
    config.add_cleanup(lambda: _kill(forks))
    unused = iter(forks)
    gateway_io.create_io = lambda spec, execmodel: _connect(unused, spec, execmodel)


def _connect(unused: Iterator[Fork], spec: XSpec, execmodel: ExecModel) -> Any:
    fork = next(unused, None)
    return ForkIO(fork, execmodel) if fork else _create_io(spec, execmodel)


def _kill(forks: Sequence[Fork]) -> None:
    for fork in forks:
        with suppress(OSError):
            fork.kill()
            fork.wait()


def _import_tests(config: pytest.Config) -> None:
    """Import what the workers will import. What raises or warns is left to them, so that they report it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for file in _list_files(config):
            with suppress(Exception, pytest.skip.Exception):
                import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))
        _get_local_constants()  # which hypothesis looks for in all modules


def _list_files(config: pytest.Config) -> Iterator[Path]:
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        files = sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
        for file in files:
            if file.is_relative_to(config.rootpath / "tests") and not config.hook.pytest_ignore_collect(
                collection_path=file, path=None, config=config
            ):
                yield file


def _serve(its_input: int, its_output: int) -> NoReturn:
    """Be a worker, as a new Python would be that execnet starts."""
    try:
        os.dup2(its_input, 0)
        os.dup2(its_output, 1)
        os.close(its_input)
        os.close(its_output)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
        sys.stderr, sys.argv = sys.__stderr__, ["-c"]
        logging.getLogger().handlers.clear()
        exec(eval(sys.stdin.readline()), {"__name__": "__main__"})
        atexit._run_exitfuncs()
    finally:
        os._exit(0)
