"""Parses the messages of chats: Slack, Discord, Telegram, Google Chat and Mattermost.

Only what they draw differently from plain text is recognized: bold text, code and links.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from webapp.demo.receiver.messages.json_text import find_dict, find_dicts, find_text, make_encodable, parse_json
from webapp.demo.receiver.scenarios import Service

# *bold* and <address|words>, of Slack and Google Chat.
_STARRED = re.compile(r"\*(?P<bold>[^*\n]+)\*|<(?P<url>[^<>|\n]+)\|(?P<label>[^<>|\n]+)>|(?P<plain>https?://[^\s<>]+)")

# **bold**, `code`, [words](address) and \escapes, of Discord and Mattermost.
# No alternative can match one text in two ways.
_MARKDOWN = re.compile(
    r"""\\(?P<escaped>[!-/:-@\[-`{-~])
    | `(?P<code>[^`\n]+)`
    | \*\*(?P<bold>(?:\\.|[^*\n\\])+)\*\*
    | \[(?P<label>(?:\\.|[^\[\]\n\\])+)\]\(<?(?P<url>[^()<>\s]+)>?\)
    | <?(?P<plain>https?://[^\s<>()\[\]]+)>?""",
    re.VERBOSE,
)
_ADDRESS = re.compile(r"(?P<plain>https?://\S+)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


@dataclass(frozen=True)
class Piece:
    """A part of a text. url: the address of a link. The page decides whether to show it as a link."""

    text: str
    is_bold: bool = False
    is_code: bool = False
    url: str = ""


@dataclass(frozen=True)
class Attachment:
    """What stands beside a bar below a text: an embed of Discord, an attachment of Mattermost."""

    title: str
    pieces: tuple[Piece, ...]
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class ChatMessage:
    """A message in a chat. kind: the service. buttons: their words and addresses."""

    kind: str
    pieces: tuple[Piece, ...]
    attachments: tuple[Attachment, ...] = ()
    buttons: tuple[tuple[str, str], ...] = field(default=(), repr=False)


def parse_chat(service: Service, body: str) -> ChatMessage | None:
    """Parse a message to a chat. Returns None if the chat would show nothing."""
    message: Any = parse_json(body)
    if not isinstance(message, dict):
        return None
    if service is Service.DISCORD:
        return _parse_discord(message)
    split = _SPLITS[service]
    text = tuple(split(_read(message, "text")))
    cards = _read_attachments(message, "attachments", "text", "title") if service is Service.MATTERMOST else ()
    buttons = _read_buttons(message) if service is Service.TELEGRAM else ()
    return ChatMessage(service, text, cards, buttons) if text or cards else None


def _parse_discord(message: dict[str, Any]) -> ChatMessage | None:
    text = tuple(_split_markdown(_read(message, "content")))
    cards = _read_attachments(message, "embeds", "description", "name")
    return ChatMessage(Service.DISCORD, text, cards) if text or cards else None


def _read_attachments(message: dict[str, Any], name: str, text: str, label: str) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            find_text(card, "title"),
            tuple(_split_markdown(_read(card, text))),
            tuple((_unescape(find_text(fact, label)), _unescape(find_text(fact, "value"))) for fact in _facts(card)),
        )
        for card in find_dicts(message, name)
    )


def _facts(card: dict[str, Any]) -> list[dict[str, Any]]:
    return find_dicts(card, "fields")


def _read_buttons(message: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    rows = find_dict(message, "reply_markup").get("inline_keyboard")
    buttons = [button for row in rows if isinstance(row, list) for button in row] if isinstance(rows, list) else []
    return tuple((find_text(one, "text"), find_text(one, "url")) for one in buttons if isinstance(one, dict))


def _read(message: dict[str, Any], name: str) -> str:
    text = message.get(name)
    return make_encodable(text) if isinstance(text, str) else ""


def _split(pattern: re.Pattern[str], unescape: Callable[[str], str], text: str) -> Iterator[Piece]:
    return _join(_find_pieces(pattern, unescape, text))


def _find_pieces(pattern: re.Pattern[str], unescape: Callable[[str], str], text: str) -> Iterator[Piece]:
    end = 0
    for styled in pattern.finditer(text):
        yield Piece(unescape(text[end : styled.start()]))
        found = {name: unescape(part) for name, part in styled.groupdict(default="").items()}
        url = found.get("url") or found["plain"]
        code = styled.groupdict().get("code") or ""  # it has no escapes
        words = code or found.get("escaped") or found.get("bold") or found.get("label") or url
        yield Piece(words, is_bold=bool(found.get("bold")), is_code=bool(code), url=url)
        end = styled.end()
    yield Piece(unescape(text[end:]))


def _join(pieces: Iterable[Piece]) -> Iterator[Piece]:
    """Join plain pieces that follow each other, and leave out empty ones."""
    plain: list[str] = []
    for piece in pieces:
        if piece.is_bold or piece.is_code or piece.url:
            if plain:
                yield Piece("".join(plain))
            plain = []
            yield piece
        elif piece.text:
            plain.append(piece.text)
    if plain:
        yield Piece("".join(plain))


def _unescape_slack(text: str) -> str:
    """Undo Slack's three escapes: https://docs.slack.dev/messaging/formatting-message-text"""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _unescape(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


split_addresses = partial(_split, _ADDRESS, str)
_split_markdown = partial(_split, _MARKDOWN, _unescape)
_SPLITS: dict[Service, Callable[[str], Iterator[Piece]]] = {
    Service.SLACK: partial(_split, _STARRED, _unescape_slack),
    Service.GOOGLE_CHAT: partial(_split, _STARRED, str),
    Service.MATTERMOST: _split_markdown,
    Service.TELEGRAM: split_addresses,
}
