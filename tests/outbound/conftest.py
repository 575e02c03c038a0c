"""An authority of our own, and ways to reach a far end on the loopback."""

from pathlib import Path

import pytest
import trustme
from hypothesis import settings

# The first examples load tables of Unicode, which takes a slow machine longer than the usual limit for one example.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """An authority nobody else trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that makes a policy trust it."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path
