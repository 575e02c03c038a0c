"""Asks the web process whether a press would work now."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException


@dataclass(frozen=True)
class Readiness:
    """ready: whether a press would work. reasons: why not, for a person."""

    ready: bool
    reasons: tuple[str, ...] = ()


def ask(port: int) -> Readiness:
    """Ask `GET /readyz` on a loopback port; a web process that does not answer is a reason too."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return read_answer(answer.status, answer.read())
    except (OSError, HTTPException):
        return Readiness(ready=False, reasons=("web: does not answer yet",))
    finally:
        connection.close()


def read_answer(status: int, body: bytes) -> Readiness:
    """Read an answer of /readyz: 200, or a JSON object that tells "ok" or a reason for each part."""
    if status == 200:
        return Readiness(ready=True)
    try:
        parts = dict(json.loads(body))
    except (ValueError, TypeError):
        return Readiness(ready=False, reasons=(f"web: answered {status} without a reason",))
    missing = (f"{part}: {reason}" for part, reason in parts.items() if part != "status" and reason != "ok")
    return Readiness(ready=False, reasons=tuple(missing))
