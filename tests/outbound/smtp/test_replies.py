"""What is read from a mail server's reply."""

import pytest

from webapp.outbound.smtp.replies import find_enhanced_code, normalize_text


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"5.1.1 no such user", "5.1.1"),
        (b"5.7.1", "5.7.1"),
        (b"5.7.9 Application-specific password required. Learn more at\n5.7.9  https://support.google.com", "5.7.9"),
        (b"Requested action not taken\n5.1.1 mailbox unavailable", "5.1.1"),
        (b"4.2.0 first\n5.7.1 second", "5.7.1"),
        (b"4.2.0 of another class", "4.2.0"),
        (b"#5.1.0 Address rejected.", "5.1.0"),
        (b"sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "5.7.1"),
        (b"<ann@example.com>... 5.1.1 in the middle", None),
        (b"5.1.1000 no", None),
        (b"5.1.1.secret", None),
        (b"55.1.1 no", None),
        (b"x5.1.1", None),
        (b"2.1", None),
        (b"secret", None),
        (b"", None),
    ],
)
def test_only_a_well_formed_enhanced_code_is_found(text: bytes, code: str | None) -> None:
    assert find_enhanced_code((550, text)) == code


def test_words_are_read_across_lines_without_codes_and_addresses() -> None:
    text = b"5.7.1 <relay-denied@example.com>: Relay\n5.7.1 ACCESS  denied for ann@example.com"
    assert normalize_text((550, text)) == ": relay access denied for"


def test_words_are_read_from_the_beginning_of_a_long_text_only() -> None:
    assert "relay" not in normalize_text((550, b"x" * 5000 + b" relay access denied"))
