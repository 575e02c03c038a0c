"""The links in test messages: their content, and the rejection of forged ones."""

import base64
import json
from datetime import timedelta

import pytest

from tests.factories import NOW
from webapp.receipt_links import READING_TIME, Forged, ReceiptLinks

LINKS = ReceiptLinks("a key", "https://alertcheck.example.com")


def test_a_signed_token_is_read_back() -> None:
    assert LINKS.read(LINKS.sign(7, "K7QM4T")) == (7, "K7QM4T")


def test_a_link_does_not_change_over_time() -> None:
    assert LINKS.make(7, "K7QM4T") == f"https://alertcheck.example.com/seen/{LINKS.sign(7, 'K7QM4T')}"


def test_a_token_holds_only_the_id_and_the_reference() -> None:
    payload = LINKS.sign(7, "K7QM4T").partition(".")[0]

    assert json.loads(base64.urlsafe_b64decode(payload + "==")) == [7, "K7QM4T"]


def test_the_token_of_a_link_in_a_message_is_found() -> None:
    assert LINKS.find_token(f"Hello\n<{LINKS.make(7, 'K7QM4T')}|I see it>") == LINKS.sign(7, "K7QM4T")


@pytest.mark.parametrize("text", ["", "/seen/x", "https://evil.example/seen/x", "https://alertcheck.example.com/x"])
def test_a_link_to_another_page_is_not_found(text: str) -> None:
    assert LINKS.find_token(text) is None


def test_no_token_is_found_without_a_public_url() -> None:
    assert ReceiptLinks("a key", None).find_token("None/seen/x") is None


@pytest.mark.parametrize(
    "token", ["", ".", "K7QM4T", "WzcsIks3UU00VCJd", "WzcsIks3UU00VCJd.x", "\x00", "☃", "a" * 9000]
)
def test_an_invalid_token_is_forged(token: str) -> None:
    with pytest.raises(Forged):
        LINKS.read(token)


def test_the_signature_of_another_delivery_is_forged() -> None:
    payload, other = LINKS.sign(7, "K7QM4T").partition(".")[0], LINKS.sign(8, "K7QM4T").partition(".")[2]

    with pytest.raises(Forged):
        LINKS.read(f"{payload}.{other}")


def test_a_token_signed_with_another_key_is_forged() -> None:
    with pytest.raises(Forged):
        LINKS.read(ReceiptLinks("another key", None).sign(7, "K7QM4T"))


@pytest.mark.parametrize(
    ("elapsed", "was_read"),
    [
        (READING_TIME - timedelta(microseconds=1), False),
        (READING_TIME, True),
        (timedelta(days=400), True),
        (timedelta(days=-400), False),
    ],
)
def test_a_page_was_read_once_it_is_two_seconds_old_however_old_it_gets(elapsed: timedelta, was_read: bool) -> None:
    proof = LINKS.sign_page(7, "K7QM4T", NOW)

    assert LINKS.was_page_read(proof, 7, "K7QM4T", NOW + elapsed) is was_read


@pytest.mark.parametrize(("delivery_id", "reference"), [(8, "K7QM4T"), (7, "23456X")])
def test_a_page_of_another_link_was_not_read(delivery_id: int, reference: str) -> None:
    assert not LINKS.was_page_read(LINKS.sign_page(7, "K7QM4T", NOW), delivery_id, reference, NOW + READING_TIME)


@pytest.mark.parametrize("proof", ["", ".", "x", "\x00", "☃", LINKS.sign(7, "K7QM4T"), "a" * 9000])
def test_a_page_without_a_valid_proof_was_not_read(proof: str) -> None:
    assert not LINKS.was_page_read(proof, 7, "K7QM4T", NOW)


def test_a_page_of_another_installation_was_not_read() -> None:
    proof = ReceiptLinks("another key", None).sign_page(7, "K7QM4T", NOW)

    assert not LINKS.was_page_read(proof, 7, "K7QM4T", NOW + READING_TIME)


def test_the_proof_of_a_page_is_no_token_of_a_link() -> None:
    with pytest.raises(Forged):
        LINKS.read(LINKS.sign_page(7, "K7QM4T", NOW))
