"""A private certificate authority for the tests, and Hypothesis settings."""

from pathlib import Path

import pytest
import trustme
from hypothesis import settings

# The first examples load Unicode tables, which takes longer than the default deadline on a slow machine.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nothing trusts by default."""
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate file with which a policy trusts the authority."""
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path
