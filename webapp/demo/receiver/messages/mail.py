"""Parses a MIME message into the headers and the text that its reader sees."""

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import ClassVar

_HIDDEN_TAGS = ("script", "style", "head", "title")
_BLOCK_TAGS = ("p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "table", "ul", "ol")


@dataclass(frozen=True)
class ParsedMail:
    """An email's decoded headers and its text.

    from_html: the message has no text part, so `text` is its HTML part without the markup.
    """

    kind: ClassVar[str] = "email"
    sender: str
    to: str
    subject: str
    date: str
    text: str
    from_html: bool = False


def parse_mail(mime: str) -> ParsedMail | None:
    """Parse a MIME message. Returns None if it cannot be parsed."""
    try:
        message = message_from_bytes(mime.encode(), _class=EmailMessage, policy=policy.default)
        text, from_html = _read_text(message)
        sender, to, subject, date = (str(message.get(name, "")) for name in ("From", "To", "Subject", "Date"))
    except (LookupError, ValueError):  # an unknown charset, a broken header
        return None
    if not (sender or to or subject or text):
        return None
    return ParsedMail(_clean(sender), _clean(to), _clean(subject), _clean(date), _clean(text), from_html)


def _read_text(message: EmailMessage) -> tuple[str, bool]:
    part = message.get_body(("plain", "html"))
    if part is None:
        return "", False
    content = str(part.get_content())
    if part.get_content_type() != "text/html":
        return content.strip(), False
    return _text_of_html(content), True


def _clean(text: str) -> str:
    # The email package turns undecodable bytes into lone surrogates, which cannot be encoded in a page.
    return text.encode(errors="replace").decode()


def _text_of_html(markup: str) -> str:
    parser = _TextOfHtml()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.pieces).splitlines())
    return "\n".join(line for line in lines if line)


class _TextOfHtml(HTMLParser):
    """Collects the visible text."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._hidden_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._hidden_depth += tag in _HIDDEN_TAGS
        if tag in _BLOCK_TAGS:
            self.pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._hidden_depth -= tag in _HIDDEN_TAGS and self._hidden_depth > 0
        if tag in _BLOCK_TAGS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden_depth:
            self.pieces.append(data)
