"""Makes the application in the supervisor, for the processes that it forks: what they do not change is in memory once.

Everything is imported by name, so that the first lines of `make run` appear at once, and that nothing else which uses
this package loads the application. The supervisor itself does nothing with it, and opens no connection.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

from webapp.demo.supervisor.options import CannotRun
from webapp.startup.garbage_collection import collector_paused, share_with_forks

# Where gunicorn finds the application.
APPLICATION = f"{__name__}:app"

# What the processes import besides. The last two are of the demo receiver, which shares most of its other modules.
MODULES = (
    "flask.cli",
    "gunicorn.app.wsgiapp",
    "gunicorn.glogging",
    "gunicorn.workers.gthread",
    "webapp.cli.processes",
    "webapp.worker.single_process",
    "webapp.demo.receiver.https_server",
    "webapp.demo.receiver.smtp_server",
)

app: Any = None


def load_application(environment: Mapping[str, str]) -> None:
    """Make `app` with these settings. Raises `CannotRun` if one is missing or invalid."""
    global app
    with collector_paused():
        import_module("webapp.logs").init_logs()
        settings = _read_settings(environment)
        app = import_module("webapp.application").create_app(settings)
        for name in MODULES:
            import_module(name)
        settings.outbound.prepare()  # sets up TLS, which the receiver uses too
    share_with_forks()


def make_certificates(directory: Path) -> None:
    """Write the demo receiver's certificates. The settings name their authority."""
    import_module("webapp.demo.receiver.certificates").make_certificates(directory, datetime.now(UTC))


def _read_settings(environment: Mapping[str, str]) -> Any:
    misconfigured = import_module("webapp.environment.settings_reader").Misconfigured
    try:
        return import_module("webapp.settings").read_settings(environment)
    except misconfigured as reason:
        raise CannotRun(str(reason).replace("\n", "\n  ")) from None
