"""The demo receiver's two ports: chosen once and kept, so that addresses saved yesterday still work today."""

import json
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from webapp.demo.supervisor.options import CannotRun, open_socket, write_private

CANDIDATES = range(20_000, 32_000)
"""Below 32768, where the kernel starts to hand out ports to clients."""


@dataclass(frozen=True)
class ReceiverPorts:
    """Loopback ports for HTTP and SMTP."""

    http: int
    smtp: int


def choose_ports(file: Path) -> ReceiverPorts:
    """Return the ports that `file` keeps; those taken by somebody else, or not chosen yet, are chosen anew."""
    kept = _read(file)
    chosen = ReceiverPorts(http=_keep_or_choose(kept.get("http")), smtp=_keep_or_choose(kept.get("smtp")))
    if asdict(chosen) != kept:
        write_private(file, json.dumps(asdict(chosen)))
    return chosen


def is_free(port: int) -> bool:
    """Say whether we could listen on this port now."""
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
    raise CannotRun(f"No free port between {CANDIDATES.start} and {CANDIDATES.stop} was found for the demo receiver.")


def _read(file: Path) -> dict[str, int]:
    try:
        return dict(json.loads(file.read_text()))
    except (FileNotFoundError, ValueError):
        return {}
