"""Recipients as each role sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.destinations.recipient_masking import mask_recipient, mask_recipients
from webapp.models import Role

RECIPIENTS = "night.desk@example.com, al@example.org,\nedsger@example.com"


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("user.on@example.com", "u***n@example.com"),
        ("user@example.com", "u***r@example.com"),
        ("ann@example.com", "a***@example.com"),
        ("al@example.com", "***@example.com"),
        ("a@example.com", "***@example.com"),
        ("@example.com", "***@example.com"),
        ('"night desk"@example.com', "***@example.com"),
        ('"a@b"@example.com', "***@example.com"),
        ("night+tag!@example.com", "n***@example.com"),
        ("_night@example.com", "***@example.com"),
        ("jürgen@bücher.example", "j***n@xn--bcher-kva.example"),
        ("\u05d0\u05d1\u05d2\u05d3\u05d4@example.com", "***@example.com"),
        ("e\u0301mile\u0301@example.com", "e***@example.com"),
        ("night@Example.COM", "n***t@example.com"),
        ("night@example.com.", "n***t@example.com"),
        ("night@[192.168.0.1]", "n***t@***"),
        ("night@<b>", "n***t@***"),
        ("not an address", "***"),
        ("", "***"),
    ],
)
def test_an_address_keeps_its_domain_and_at_most_two_characters(address: str, masked: str) -> None:
    assert mask_recipient(address) == masked


@given(st.text(min_size=1, max_size=70))
def test_no_mask_shows_more_than_two_characters_of_the_part_before_the_at(local_part: str) -> None:
    shown = mask_recipient(f"{local_part}@example.com").removesuffix("@example.com").replace("***", "", 1)

    assert len(shown) <= min(2, len(local_part) // 2)
    assert shown.isascii()


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_mask_is_always_one_line_of_plain_characters(local_part: str, domain: str) -> None:
    masked = mask_recipient(f"{local_part}@{domain}")

    assert masked.isascii()
    assert masked.isprintable()
    assert not set("<>\"'&") & set(masked)


def test_support_sees_each_recipient_masked() -> None:
    assert mask_recipients(RECIPIENTS, Role.SUPPORT) == (
        "n***k@example.com, ***@example.org, e***r@example.com",
        "n***k@example.com, ***@example.org and 1 more",
    )


def test_an_admin_sees_recipients_as_they_are_stored() -> None:
    assert mask_recipients(RECIPIENTS, Role.ADMIN)[0] == "night.desk@example.com, al@example.org, edsger@example.com"


def test_a_viewer_sees_their_number_and_domains() -> None:
    assert mask_recipients(RECIPIENTS, Role.VIEWER)[0] == "3 recipients at example.com, example.org"
