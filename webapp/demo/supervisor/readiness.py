"""Checks whether the running web process is ready to send a test."""

import json
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException


@dataclass(frozen=True)
class Readiness:
    """ready: whether a test can be sent. reasons: why it cannot, as text for people."""

    ready: bool
    reasons: tuple[str, ...] = ()


def fetch_readiness(port: int) -> Readiness:
    """Request `/readyz` on a loopback port. No response counts as not ready."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        response = connection.getresponse()
        return parse_readiness(response.status, response.read())
    except (OSError, HTTPException):
        return Readiness(ready=False, reasons=("web: does not respond yet",))
    finally:
        connection.close()


def parse_readiness(status: int, body: bytes) -> Readiness:
    """Parse a response of `/readyz`: 200, or a JSON object with "ok" or a reason for each part."""
    if status == 200:
        return Readiness(ready=True)
    try:
        parts = dict(json.loads(body))
    except (ValueError, TypeError):
        return Readiness(ready=False, reasons=(f"web: returned {status} without a reason",))
    missing = (f"{part}: {reason}" for part, reason in parts.items() if part != "status" and reason != "ok")
    return Readiness(ready=False, reasons=tuple(missing))
