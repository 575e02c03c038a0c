"""Every file that a document names exists."""

import re

import pytest

from benchmarks.installation.processes import ROOT


@pytest.mark.parametrize("document", ["SECURITY.md", "docs/architecture.md", "docs/proxies.md", "docs/releasing.md"])
def test_every_file_it_names_exists(document: str) -> None:
    named = re.findall(r"`((?:webapp|tests|docs)/[\w./-]+)`", (ROOT / document).read_text())

    assert named
    assert [name for name in named if not (ROOT / name).exists()] == []
