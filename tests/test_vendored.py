"""Vendored files are unchanged: each has the hash in the list."""

import hashlib
import re
from pathlib import Path

import pytest

VENDOR = Path(__file__).parent.parent / "static" / "vendor"
README = (VENDOR / "README.md").read_text()
LISTED = dict(re.findall(r"^\| `([^`]+)` .*`([0-9a-f]{64})` \|$", README, re.MULTILINE))

FILES = sorted(
    str(path.relative_to(VENDOR)) for path in VENDOR.rglob("*") if ".min." in path.name or path.suffix == ".svg"
)


@pytest.mark.parametrize("file", FILES)
def test_a_vendored_file_has_its_listed_hash(file: str) -> None:
    assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == LISTED[file]


def test_no_file_is_listed_that_is_not_there() -> None:
    assert sorted(LISTED) == FILES


def test_the_folder_of_a_file_names_the_version_that_is_listed() -> None:
    rows = re.findall(r"^\| `([\w-]+)-([\d.]+)/[^`]+` \| ([\w-]+) ([\d.]+) \|", README, re.MULTILINE)
    assert len(rows) > 8
    assert [(folder, version) for folder, version, _, other in rows if version != other] == []
