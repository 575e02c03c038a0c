"""Recipients: what people enter becomes plain addresses, or a sentence about the piece that is wrong."""

import pytest

from webapp.channels.fields import SettingInvalid
from webapp.channels.mail_recipients import check_recipients
from webapp.outbound import OutboundClient


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" ann@example.com ", "ann@example.com"),
        ("ann@example.com\r\nbob@example.com\n\n", "ann@example.com, bob@example.com"),
        (
            '"Desk, Night" <night@example.com>; "Desk, Day" <day@example.com>',
            "night@example.com, day@example.com",
        ),
        ("ops@müller.de", "ops@xn--mller-kva.de"),
        ("A@Example.com, a@example.com", "A@example.com"),
        (",".join(f"a{number}@example.com" for number in range(20)), ", ".join(f"a{n}@example.com" for n in range(20))),
    ],
)
def test_the_plain_addresses_are_kept_once(typed: str, kept: str) -> None:
    assert check_recipients(typed, OutboundClient()) == kept


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (" , \n", "at least one"),
        (",".join(f"a{number}@example.com" for number in range(21)), "at most 20"),
        ("ann@example.com, bob", "“bob” is not an email address"),
        ("ann@example.com, bob&co", "“bob&co” is not"),
        ("bob@localhost", "“bob@localhost” is not"),
        ("bøb@example.com", "“bøb@example.com” is not"),
        ("=?utf-8?q?x=0D=0ABcc=3A?=@example.com", "“=?utf-8?q?x=0D=0ABcc=3A?=@example.com” is not"),
        ("ann@example.com\x00\x1b", "“ann@example.com” is not"),
        ("x" * 500, f"“{'x' * 79}…” is not"),
    ],
)
def test_an_error_quotes_the_piece_that_is_wrong(typed: str, complaint: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        check_recipients(typed, OutboundClient())
    assert complaint in str(caught.value)
    assert "s3cr-t" not in str(caught.value)
