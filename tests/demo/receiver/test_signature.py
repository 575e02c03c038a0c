"""Checking a webhook's signature."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks.webhooks import Webhook

from tests.demo.receiver_process import SECRET
from webapp.demo.receiver.signature import check_signature

BODY = b'{"type":"alerts.test"}'


def signed(signed_at: datetime | None = None) -> dict[str, str]:
    signed_at = signed_at or datetime.now(UTC)
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(signed_at.timestamp())),
        "webhook-signature": Webhook(SECRET).sign("msg_1", signed_at, BODY.decode()),
    }


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


def test_a_body_signed_with_the_secret_is_valid(secret_file: Path) -> None:
    assert check_signature(secret_file, signed(), BODY) is True


def test_a_changed_body_is_invalid(secret_file: Path) -> None:
    assert check_signature(secret_file, signed(), BODY + b" ") is False


def test_an_old_signature_is_invalid(secret_file: Path) -> None:
    assert check_signature(secret_file, signed(datetime.now(UTC) - timedelta(minutes=6)), BODY) is False


@pytest.mark.parametrize("signature", ["", "v1", "v1,?", "v1,a", "v2,AAAA", "ä"])
def test_a_malformed_signature_is_invalid(secret_file: Path, signature: str) -> None:
    assert check_signature(secret_file, signed() | {"webhook-signature": signature}, BODY) is False


def test_a_binary_body_is_invalid(secret_file: Path) -> None:
    assert check_signature(secret_file, signed(), b"\xff") is False


def test_a_request_without_a_signature_is_not_checked(secret_file: Path) -> None:
    assert check_signature(secret_file, {}, BODY) is None


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_a"])
def test_an_unusable_secret_disables_the_check(secret_file: Path, secret: str) -> None:
    secret_file.write_text(secret)
    assert check_signature(secret_file, signed(), BODY) is None


@pytest.mark.parametrize("path", [None, Path("/nowhere/secret")])
def test_a_missing_secret_disables_the_check(path: Path | None) -> None:
    assert check_signature(path, signed(), BODY) is None
