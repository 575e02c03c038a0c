"""What a check of the installation found: one line for the administrator."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """ok: it works. note: it works, or is not set, and may be meant so. problem: it cannot work."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Finding:
    """part: what was checked. text: sentences without a secret or a URL; those of a problem name the setting."""

    part: str
    severity: Severity
    text: str


# Checks one part, or several that belong together. It may raise anything and take any time.
Check = Callable[[], Sequence[Finding]]
