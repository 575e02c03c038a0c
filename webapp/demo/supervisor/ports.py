"""Chooses the demo receiver's three ports once and keeps them, so that destinations of an earlier run still work."""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from webapp.demo.supervisor.options import CannotRun, open_socket, write_private

# Below 32768, where Linux starts to assign ports to clients.
CANDIDATES = range(20_000, 32_000)


@dataclass(frozen=True)
class ReceiverPorts:
    """Loopback ports for HTTP, SMTP and HTTPS."""

    http: int
    smtp: int
    https: int


def choose_ports(file: Path) -> ReceiverPorts:
    """Return the ports kept in `file`. A port that is missing or in use is replaced with a free one.

    Raises `CannotRun` if no free port is found.
    """
    kept = _read(file)
    chosen = ReceiverPorts(**{name: _keep_or_choose(kept.get(name)) for name in ("http", "smtp", "https")})
    if asdict(chosen) != kept:
        write_private(file, json.dumps(asdict(chosen)))
    return chosen


def is_free(port: int) -> bool:
    """Return whether this port can be listened on now."""
    try:
        open_socket(port).close()
    except OSError:
        return False
    return True


def _keep_or_choose(kept: int | None) -> int:
    if kept is not None and is_free(kept):
        return kept
    for port in random.sample(CANDIDATES, 50):
        if is_free(port):
            return port
    raise CannotRun(f"The demo receiver found no free port between {CANDIDATES.start} and {CANDIDATES.stop}.")


def _read(file: Path) -> dict[str, int]:
    try:
        return dict(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
