"""gunicorn's settings, for every way to start a web server. Options on the command line take priority.

Imports nothing of the application: gunicorn's parent process reads this file, and keeps what it has imported. With
--preload, it loads the application afterwards, and its processes share the memory.
"""

import sys
from pathlib import Path
from typing import Any

# At most 7 requests use the database at once, one less than there are threads; see `webapp.database.request_slots`.
threads = 8

# Seconds that an idle connection stays open. If a proxy keeps it for longer than this, a request can meet its end, and
# the visitor gets a 502. The load balancers of Google Cloud keep connections for 600 s, Caddy for 120 s, Traefik for
# 90 s, nginx and AWS for 60 s. (https://cloud.google.com/load-balancing/docs/https#timeout_and_keepalive_backends)
keepalive = 620

# Seconds that running requests get to finish.
graceful_timeout = 20

# gunicorn constantly touches its heartbeat files, so they are kept in memory.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108

# Would be created in the home directory.
control_socket_disable = True

# No request header may set the path under which the application is served. gunicorn believes `SCRIPT_NAME` from a
# proxy on this machine, and not every proxy removes it from a visitor's request.
forwarder_headers = ""


def on_starting(server: Any) -> None:
    """Refuse to listen without a process that responds, and warn if slow pages could take all threads."""
    if server.cfg.workers < 1:
        sys.exit("WEB_CONCURRENCY has to be 1 or more: without a process, nobody gets a response.")
    if server.cfg.threads < threads:
        server.log.warning("Alertcheck needs %s threads or more: health checks may fail while pages are slow.", threads)


def post_fork(server: Any, _worker: object) -> None:
    """Let a new process import the package anew: after an upgrade and a reload, the parent's copy is an old version.

    With --preload, the parent's copy is the application, and a reload changes nothing.
    """
    if server.cfg.preload_app:
        return
    for name in [name for name in sys.modules if name.partition(".")[0] == "webapp"]:
        del sys.modules[name]
