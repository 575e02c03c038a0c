"""A process that has imported the application once, and forks the web processes and workers of tests.

A fork saves importing the application and compiling its routes and templates, which are most of what a start costs.
Everything that depends on the environment or on the command happens in the fork: reading the settings, making the
application, importing RQ and gunicorn.

Each line of standard input is a request, answered by a line of standard output: to start a command, answered by its
process id, or for the exit code of a process, `null` while it runs.
"""

import gc
import json
import os
import runpy
import sys
import time
from importlib import import_module
from typing import Any

from flask import Flask

from tests.compiled_once import compile_pages_once
from webapp.demo.supervisor.parent_death_signal import end_with_parent
from webapp.views.blueprints import register_views

# Not RQ and gunicorn: they read the environment when they are imported.
IMPORTED = ("flask.cli", "webapp.application", "webapp.web_server.gunicorn", "webapp.worker.maintenance")


def serve() -> dict[str, Any] | None:
    """Answer requests. Returns in each fork with its own request, and in the server at the end of the input."""
    server = os.getpid()
    for line in sys.stdin:
        request = json.loads(line)
        if "command" in request:
            pid = os.fork()
            if pid == 0:
                end_with_parent(server)
                return dict(request)
            print(pid, flush=True)
        else:
            print(json.dumps(_exit_code(request["pid"])), flush=True)
    return None


def _exit_code(pid: int) -> int | None:
    """Return the exit code of a fork (negative: the signal that ended it), or None while it runs."""
    ended, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if ended else None


def run(command: list[str], environment: dict[str, str], log: str) -> None:
    """Do in a fork what a new process does: run the module `command[0]` in a session of its own."""
    os.setsid()
    for descriptor, file, flags in ((0, os.devnull, os.O_RDONLY), (1, log, os.O_WRONLY | os.O_APPEND)):
        opened = os.open(file, flags)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.dup2(1, 2)
    os.environ.clear()
    os.environ.update(environment)
    time.tzset()
    sys.argv = list(command)
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def _import_application() -> None:
    for name in IMPORTED:
        import_module(name)
    compile_pages_once()
    register_views(Flask(__name__))
    assert "rq" not in sys.modules, "each fork imports RQ with the prefix of its own installation"
    # gunicorn's parent would make each web process import the package anew, in case it is an old version.
    sys.modules["webapp.web_server.gunicorn"].post_fork = lambda _server, _worker: None  # type: ignore[attr-defined]
    gc.collect()
    gc.freeze()  # or each fork would copy all of it when it looks for garbage


if __name__ == "__main__":
    _import_application()
    own = serve()
    if own is not None:
        run(**own)
