"""What chats show of a message."""

import json

import pytest

from webapp.demo.receiver.messages.chats import Attachment, Piece, parse_chat
from webapp.demo.receiver.scenarios import Service


def parse(service: Service, **message: object) -> tuple[Piece, ...]:
    parsed = parse_chat(service, json.dumps(message))
    assert parsed
    return parsed.pieces


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("*Who:* a &amp;lt; b", (Piece("Who:", is_bold=True), Piece(" a &lt; b"))),
        ("<https://a.b/?c&amp;d|See> <!here>", (Piece("See", url="https://a.b/?c&d"), Piece(" <!here>"))),
        ("https://a.b/c, it", (Piece("https://a.b/c,", url="https://a.b/c,"), Piece(" it"))),
        ("a\nb", (Piece("a\nb"),)),
    ],
)
def test_slack_has_bold_text_and_links(text: str, pieces: tuple[Piece, ...]) -> None:
    assert parse(Service.SLACK, text=text) == pieces


def test_google_chat_has_no_escapes() -> None:
    assert parse(Service.GOOGLE_CHAT, text="*a* &amp;") == (Piece("a", is_bold=True), Piece(" &amp;"))


@pytest.mark.parametrize("service", [Service.DISCORD, Service.MATTERMOST])
@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("**Who:** *a*", (Piece("Who:", is_bold=True), Piece(" *a*"))),
        (r"\*\*a\*\* \@b", (Piece("**a** @b"),)),
        (r"**a\*b**", (Piece("a*b", is_bold=True),)),
        (r"**a:** `b **c** \*`", (Piece("a:", is_bold=True), Piece(" "), Piece(r"b **c** \*", is_code=True))),
        ("[See](https://a.b/c)", (Piece("See", url="https://a.b/c"),)),
        (r"[S\]e](<https://a.b/c>)", (Piece("S]e", url="https://a.b/c"),)),
        ("<https://a.b/c>", (Piece("https://a.b/c", url="https://a.b/c"),)),
    ],
)
def test_markdown_is_shown_without_its_characters(service: Service, text: str, pieces: tuple[Piece, ...]) -> None:
    assert parse(service, text=text, content=text) == pieces


def test_telegram_shows_everything_but_addresses_as_it_is() -> None:
    address = "https://a.b/c"
    assert parse(Service.TELEGRAM, text=f"**a** {address}") == (Piece("**a** "), Piece(address, url=address))


def test_telegram_has_buttons() -> None:
    keyboard = {"inline_keyboard": [[{"text": "See", "url": "https://a.b"}], "x", [1]]}
    parsed = parse_chat(Service.TELEGRAM, json.dumps({"text": "a", "reply_markup": keyboard}))
    assert parsed
    assert parsed.buttons == (("See", "https://a.b"),)


@pytest.mark.parametrize(
    ("service", "message"),
    [
        (
            Service.DISCORD,
            {"embeds": [{"title": "T", "description": "**D**", "fields": [{"name": "N", "value": r"\*v"}]}]},
        ),
        (
            Service.MATTERMOST,
            {"attachments": [{"title": "T", "text": "**D**", "fields": [{"title": "N", "value": r"\*v"}]}]},
        ),
    ],
)
def test_what_stands_beside_a_bar_is_enough(service: Service, message: dict[str, object]) -> None:
    parsed = parse_chat(service, json.dumps(message))
    assert parsed
    assert parsed.attachments == (Attachment("T", (Piece("D", is_bold=True),), (("N", "*v"),)),)
