"""Fixtures for the mail client: a message, an authority, and the file that trusts it."""

from collections.abc import Iterator
from email.message import EmailMessage

import pytest
import trustme

from tests.outbound.smtp.mail_servers import SENDER, THREE


@pytest.fixture
def message() -> EmailMessage:
    composed = EmailMessage()
    composed["From"], composed["To"], composed["Subject"] = SENDER, ", ".join(THREE), "[TEST] Grüße"
    composed.set_content("first line\n.a line with a dot\nlast line\n")
    return composed


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA) -> Iterator[str]:
    with authority.cert_pem.tempfile() as path:
        yield path
