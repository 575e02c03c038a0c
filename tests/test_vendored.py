"""Vendored files are unchanged: each has the hash in the list."""

import hashlib
import re
from pathlib import Path

import pytest

VENDOR = Path(__file__).parent.parent / "static" / "vendor"
LISTED = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", (VENDOR / "README.md").read_text(), re.MULTILINE))


@pytest.mark.parametrize("file", sorted(path.name for path in VENDOR.glob("*.min.*")))
def test_a_vendored_file_has_its_listed_hash(file: str) -> None:
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == LISTED[file]
