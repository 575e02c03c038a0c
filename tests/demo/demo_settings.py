"""The settings of a demo whose receiver has names, for tests that need no receiver."""

import tempfile
from functools import cache
from pathlib import Path

from tests.outbound.certificates import authority, write_pem

PUBLIC_URL = "http://127.0.0.1:8000"


def demo_settings(directory: Path) -> dict[str, str]:
    """Return the variables that `make run` adds to those of every installation."""
    return {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(directory / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:8025",
        "ALERTCHECK_DEMO_RECEIVER_HTTPS": "https://127.0.0.1:8443",
        "ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:8026",
        "ALERTCHECK_DEMO_CA_FILE": find_authority_file(),
        "ALERTCHECK_MAIL_URL": "smtp://127.0.0.1:8026",
        "ALERTCHECK_MAIL_FROM": "alertcheck@demo.invalid",
        "ALERTCHECK_PUBLIC_URL": PUBLIC_URL,
        "ALERTCHECK_TRUSTED_ORIGINS": "http://127.0.0.1:8025",
    }


@cache
def find_authority_file() -> str:
    """Return the file of the demo's authority: one for all tests of a process, which then load it once."""
    return write_pem(Path(tempfile.gettempdir()), authority("The demo's authority"))
