"""Parsing a MIME message."""

from email.message import EmailMessage

from hypothesis import given
from hypothesis import strategies as st

from webapp.demo.receiver.messages.mail import ParsedMail, parse_mail


def mime(text: str = "Hello") -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"] = "alerts@demo.example", "works@demo.example"
    message["Subject"], message["Date"] = "[TEST] Grüße", "Thu, 05 Nov 2026 12:00:00 +0000"
    message.set_content(text)
    return message


def read(message: EmailMessage) -> ParsedMail:
    mail = parse_mail(message.as_string())
    assert mail
    return mail


def test_headers_and_text_are_decoded() -> None:
    assert read(mime("Grüße\n")) == ParsedMail(
        sender="alerts@demo.example",
        to="works@demo.example",
        subject="[TEST] Grüße",
        date="Thu, 05 Nov 2026 12:00:00 +0000",
        text="Grüße",
    )


def test_a_text_sent_in_eight_bits_is_read_as_utf_8() -> None:
    mime = "Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße"
    assert parse_mail(mime) == ParsedMail(sender="", to="", subject="x", date="", text="Grüße")


def test_the_text_part_is_preferred_to_the_html_part() -> None:
    message = mime("the text")
    message.add_alternative("<p>the markup</p>", subtype="html")
    assert (read(message).text, read(message).from_html) == ("the text", False)


def test_an_html_part_alone_is_read_without_its_markup() -> None:
    message = mime()
    message.set_content("<style>p {}</style><p>1 &lt; 2</p><script>alert()</script><p>second</p>", subtype="html")
    assert (read(message).text, read(message).from_html) == ("1 < 2\nsecond", True)


def test_an_unknown_charset_makes_a_message_unreadable() -> None:
    assert parse_mail("Subject: x\r\nContent-Type: text/plain; charset=nonsense\r\n\r\nHello") is None


def test_an_empty_text_is_not_a_mail() -> None:
    assert parse_mail("") is None


@given(st.text())
def test_any_text_is_parsed_or_reported_as_unreadable(text: str) -> None:
    mail = parse_mail(text)
    assert mail is None or f"{mail.subject}{mail.text}".encode() is not None
