"""The sender of all email: with or without a name, and without a way to add a header."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.utils import parseaddr

import pytest

from webapp.outbound.smtp.mail_server import MailServer
from webapp.outbound.smtp.sender import MAX_SENDER_NAME, Sender, read_sender

ADDRESS = "alerts@example.com"


@pytest.mark.parametrize(
    ("text", "sender"),
    [
        (ADDRESS, Sender(ADDRESS)),
        ("alerts@Example.COM.", Sender(ADDRESS)),
        (f"<{ADDRESS}>", Sender(ADDRESS)),
        (f"Alertcheck <{ADDRESS}>", Sender(ADDRESS, "Alertcheck")),
        (f"Alertcheck<{ADDRESS}>", Sender(ADDRESS, "Alertcheck")),
        (f'"Alertcheck" < {ADDRESS} >', Sender(ADDRESS, "Alertcheck")),
        (f'"Ops, \\"Night\\" Team" <{ADDRESS}>', Sender(ADDRESS, 'Ops, "Night" Team')),
        (f"Ops, Night Team <{ADDRESS}>", Sender(ADDRESS, "Ops, Night Team")),
        (f"Störungsdienst 你好 <{ADDRESS}>", Sender(ADDRESS, "Störungsdienst 你好")),
        (f"ops@example.com <{ADDRESS}>", Sender(ADDRESS, "ops@example.com")),
        ("Alertcheck <alerts@bücher.example>", Sender("alerts@xn--bcher-kva.example", "Alertcheck")),
    ],
)
def test_an_address_with_or_without_a_name_is_read(text: str, sender: Sender) -> None:
    assert read_sender(text) == sender


@pytest.mark.parametrize(
    "text",
    [
        "",
        "canary",
        "canary@localhost",
        "a@example.com, b@example.com",
        "A <a@example.com>, B <b@example.com>",
        "canary@example.com (Alertcheck)",
        "canary <>",
        "<canary",
        '"canary <a@example.com>',
        "störung@example.com",
        "a@example.com\r\nBcc: canary@example.com",
        "canary <a@example.com\r\nBcc: b@example.com>",
    ],
)
def test_anything_but_one_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^has to be an email address, such as .+ or Alertcheck <") as caught:
        read_sender(text)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("character", ["\n", "\r\n", "\r", "\x00", "\u202e", "\u200b", "\u2028", "\x85", "\t"])
def test_a_name_with_an_invisible_character_is_refused(character: str) -> None:
    with pytest.raises(ValueError, match="has a name with an invisible character"):
        read_sender(f"Ops{character}Bcc: x@example.com <{ADDRESS}>")


def test_an_encoded_name_is_refused_because_it_could_hide_a_header() -> None:
    with pytest.raises(ValueError, match="has an encoded name"):
        read_sender(f"=?utf-8?q?Ops=0D=0ABcc:_x=40example.com?= <{ADDRESS}>")


def test_a_name_has_64_characters_at_most() -> None:
    assert read_sender(f"{'x' * MAX_SENDER_NAME} <{ADDRESS}>").name == "x" * MAX_SENDER_NAME
    with pytest.raises(ValueError, match="more than 64 characters"):
        read_sender(f"{'x' * (MAX_SENDER_NAME + 1)} <{ADDRESS}>")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Alertcheck",
        'Ops, "Night" Team; (x) <y>: z@example.com \\',
        "Störungsdienst 你好",
        'Müller, "Ops" <x@example.com>; (y) =',
        "ops@example.com",
        "ä" * MAX_SENDER_NAME,
        "💥" * MAX_SENDER_NAME,
        "x" * MAX_SENDER_NAME,
    ],
)
def test_a_mail_program_reads_the_name_and_the_address_from_an_ascii_header(name: str) -> None:
    mail = EmailMessage(policy=policy.SMTP.clone(cte_type="7bit"))
    mail["From"] = MailServer("mail.example", 25, ADDRESS, sender_name=name).from_header

    lines = mail.as_bytes()
    read = message_from_bytes(lines, policy=policy.compat32)
    encoded, address = parseaddr(str(read["From"]))

    assert lines.isascii()
    assert max(map(len, lines.split(b"\r\n"))) <= 78
    assert read.keys() == ["From"]
    assert (str(make_header(decode_header(encoded))), address) == (name, ADDRESS)
