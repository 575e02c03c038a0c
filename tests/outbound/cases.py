"""The attacks of attacks.json as test parameters."""

import json
from pathlib import Path
from typing import Any

import pytest

_ATTACKS = json.loads(Path(__file__).with_name("attacks.json").read_text(encoding="utf-8"))


def cases(kind: str) -> list[Any]:
    """Return the cases of one kind (`typed`, `names`, `servers`), with their names as test ids."""
    return [pytest.param(case, id=case["name"]) for case in _ATTACKS[kind]]
