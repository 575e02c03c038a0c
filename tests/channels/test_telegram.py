"""Telegram: the request to a bot, the meaning of its responses, and the new id of a group."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.telegram import CHANNEL, SERVER
from webapp.failures import Code, DeliveryFailed, Suggestion
from webapp.outbound import OutboundClient, Policy

TOKEN = "123456789:s3cr-tWords3cr_tWords3crtWords3crtW"
CHAT = "-1001234567890"
STORED = {"ok": True, "result": {"message_id": 7, "chat": {"id": int(CHAT), "type": "supergroup"}, "text": "…"}}
UPGRADED = "Bad Request: group chat was upgraded to a supergroup chat"

TOKEN_FIELD, CHAT_FIELD, TOPIC_FIELD, SERVER_FIELD = CHANNEL.fields


def send(receiver: RecordingReceiver, message: Message, **others: str) -> Accepted:
    settings = {"bot_token": TOKEN, "chat_id": CHAT, "server": receiver.url("").rstrip("/"), **others}
    return CHANNEL.send(settings, message, receiver.outbound)


def failure_of(receiver: RecordingReceiver, message: Message) -> DeliveryFailed:
    return find_failure(send, receiver, message)


def error(status: int, description: object, **parameters: object) -> str:
    """Return an error as Telegram writes it."""
    answer: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return json.dumps(answer | ({"parameters": parameters} if parameters else {}))


def test_200_and_ok_mean_that_telegram_accepted_the_message(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    assert send(receiver, message) == Accepted(200)


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (200, "", Code.INVALID_RESPONSE, None),
        (200, "ok", Code.REMOTE_REJECTED, None),
        (200, "true", Code.REMOTE_REJECTED, None),
        (200, '{"ok": "true"}', Code.REMOTE_REJECTED, None),
        (200, '{"ok": 1}', Code.REMOTE_REJECTED, None),
        (200, '{"ok": false}', Code.REMOTE_REJECTED, None),
        (200, '{"result": {"message_id": 7}}', Code.REMOTE_REJECTED, None),
        (200, f"[{json.dumps(STORED)}]", Code.REMOTE_REJECTED, None),
        (200, "[" * 9000, Code.INVALID_RESPONSE, None),
        (200, '{"ok": ' + "[" * 9000, Code.INVALID_RESPONSE, None),
        (200, f"<html>{TOKEN}</html>", Code.SIGN_IN_PAGE, None),
        (201, json.dumps(STORED), Code.UNEXPECTED_STATUS, None),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (200, error(400, "Bad Request: chat not found"), Code.NOT_FOUND, "chat not found"),
        (302, "", Code.SIGN_IN_PAGE, None),
        (307, "", Code.REDIRECT_REFUSED, None),
        (400, error(400, "Bad Request: chat not found"), Code.NOT_FOUND, "chat not found"),
        (400, error(400, "Bad Request: message thread not found"), Code.NOT_FOUND, "message thread not found"),
        (400, error(400, "Bad Request: TOPIC_CLOSED"), Code.FORBIDDEN, "TOPIC_CLOSED"),
        *(
            (400, error(400, f"Bad Request: {name}"), Code.FORBIDDEN, name)
            for name in (
                "CHAT_ADMIN_REQUIRED",
                "CHAT_RESTRICTED",
                "CHAT_SEND_PLAIN_FORBIDDEN",
                "CHAT_WRITE_FORBIDDEN",
                "USER_BANNED_IN_CHANNEL",
            )
        ),
        (
            *(400, error(400, "Bad Request: not enough rights to send text messages to the chat"), Code.FORBIDDEN),
            "not enough rights to send text messages to the chat",
        ),
        (400, error(400, "Bad Request: message is too long"), Code.PAYLOAD_TOO_LARGE, "message is too long"),
        (400, error(400, f"Bad Request: {TOKEN}"), Code.BAD_REQUEST, None),
        (400, error(400, f"Bad Request: chat not found {TOKEN}"), Code.BAD_REQUEST, None),
        (400, error(400, [TOKEN]), Code.BAD_REQUEST, None),
        (400, '{"ok": false, "parameters": ["migrate_to_chat_id"]}', Code.BAD_REQUEST, None),
        (400, '{"ok": false, "parameters": "migrate_to_chat_id"}', Code.BAD_REQUEST, None),
        (400, b"\xff\xfe", Code.BAD_REQUEST, None),
        (400, error(400, "Logged out"), Code.AUTH_FAILED, "Logged out"),
        (401, error(401, "Unauthorized"), Code.AUTH_FAILED, "Unauthorized"),
        (401, error(401, "Unauthorized: invalid token specified"), Code.AUTH_FAILED, "invalid token specified"),
        (403, error(403, "Forbidden: bot was blocked by the user"), Code.FORBIDDEN, "bot was blocked by the user"),
        *[
            (403, error(403, f"Forbidden: {word}"), Code.BAD_REQUEST, word)
            for word in (
                "bot can't send messages to bots",
                "bots can't send messages to bots",
                "the bot can't send messages to the bot",
            )
        ],
        (403, error(403, "Forbidden: user is deactivated"), Code.NOT_FOUND, "user is deactivated"),
        (403, error(403, "Forbidden: the group chat was deleted"), Code.NOT_FOUND, "the group chat was deleted"),
        *[
            (403, error(403, f"Forbidden: {word}"), Code.FORBIDDEN, word)
            for kind in ("group", "supergroup", "channel")
            for word in (f"bot was kicked from the {kind} chat", f"bot is not a member of the {kind} chat")
        ],
        (403, "Forbidden", Code.FORBIDDEN, None),
        (404, error(404, "Not Found"), Code.NOT_FOUND, None),
        (
            421,
            error(421, "Misdirected Request: unallowed token specified"),
            Code.AUTH_FAILED,
            "unallowed token specified",
        ),
        (429, error(429, "Too Many Requests: retry after 5", retry_after=5), Code.RATE_LIMITED, None),
        (500, error(500, "Internal Server Error: restart"), Code.REMOTE_ERROR, None),
        (502, error(502, "Bad Gateway"), Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_description(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    failure = failure_of(receiver, message)
    facts = failure.facts
    assert (failure.code, facts.status, facts.token, facts.host) == (code, status, token, "127.0.0.1")
    assert failure.suggestion is None
    assert "s3cr" not in failure.message


@pytest.mark.parametrize(
    ("header", "seconds", "expected"),
    [(None, 5, 5), ("7", 5, 7), (None, 10**9, 31 * 24 * 3600), (None, "5", None), (None, -5, None), (None, None, None)],
)
def test_the_header_or_else_the_body_says_how_long_to_wait(
    header: str | None, seconds: object, expected: float | None, receiver: RecordingReceiver, message: Message
) -> None:
    body = error(429, "Too Many Requests: retry after 5", retry_after=seconds)
    receiver.respond_with(429, body, {"Retry-After": header} if header else None)
    assert failure_of(receiver, message).retry_after == expected


@pytest.mark.parametrize("description", [UPGRADED, "Bad Request: something new"])
def test_a_group_that_became_a_supergroup_fails_with_its_new_id_as_a_suggestion(
    description: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(400, error(400, description, migrate_to_chat_id=-1009876543210))
    failure = failure_of(receiver, message)
    assert failure.suggestion == Suggestion("chat_id", "-1009876543210")
    assert failure.code is Code.GONE
    assert failure.message == "127.0.0.1 answered 400: the group became a supergroup, so its chat id is a new one."
    assert not failure.may_retry


@pytest.mark.parametrize(
    "new_id", [None, True, "", "-100123", "@evil", "<b>1</b>", 1.5, 10**20, -(10**20), 10**4000, [1], {"id": 1}]
)
def test_a_new_id_that_is_no_integer_of_twenty_digits_is_not_suggested(
    new_id: object, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(400, error(400, UPGRADED, migrate_to_chat_id=new_id))
    failure = failure_of(receiver, message)
    assert (failure.code, failure.suggestion) == (Code.GONE, None)
    assert "supergroup" in failure.message


def test_an_upgrade_without_a_new_id_is_explained_all_the_same(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(400, error(400, UPGRADED))
    assert "the group became a supergroup" in failure_of(receiver, message).message


def test_the_request_goes_to_the_bot_with_a_text_that_identifies_the_test(
    receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    send(receiver, message)
    assert receiver.request.path == f"/bot{TOKEN}/sendMessage"
    assert receiver.request.content_type == "application/json"
    assert set(receiver.json) == {"chat_id", "text", "entities", "link_preview_options"}
    assert (receiver.json["chat_id"], receiver.json["link_preview_options"]) == (CHAT, {"is_disabled": True})
    assert receiver.json["text"].splitlines() == [
        "[TEST] Test alert from Acme GmbH",
        "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
        "Workspace: Acme GmbH",
        "Destination: On-call",
        "Sent by: Support desk",
        "Sent at: 2026-11-03 08:35:06 UTC",
        "Reference: K7QM-4T",
    ]


def test_a_server_may_have_a_path_and_the_rest_stays_behind_it(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    send(receiver, message, server=receiver.url("/telegram/works"), bot_token="1:../../x?y#z")
    assert receiver.request.environ["RAW_URI"] == "/telegram/works/bot1:..%2F..%2Fx%3Fy%23z/sendMessage"


def test_a_topic_is_named_by_its_number(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    send(receiver, message, thread_id="42")
    assert receiver.json["message_thread_id"] == 42


def test_the_link_is_the_last_line(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    send(receiver, message_with_link)
    assert receiver.json["text"].splitlines()[-1] == f"I see it: {LINK}"


@pytest.mark.parametrize(
    "name", ["@dana https://evil.example evil.example #tag /start", "*b* _i_ [x](https://e)", "\N{FIRE} @a \N{FIRE}"]
)
def test_every_name_is_code_so_that_nothing_in_it_is_a_mention_or_a_link(
    name: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    send(receiver, replace(message, workspace=name, destination=name, requested_by=name))
    text = receiver.json["text"].encode("utf-16-le")
    spans = [(entity["offset"], entity["offset"] + entity["length"]) for entity in receiver.json["entities"]]
    marked = [text[2 * start : 2 * end].decode("utf-16-le") for start, end in spans]
    assert {entity["type"] for entity in receiver.json["entities"]} == {"code"}
    assert marked[:4] == [f"[TEST] Test alert from {name}", name, name, name]
    assert receiver.json["text"].count(name) == 4


def test_the_longest_names_fit_into_one_message(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(200, json.dumps(STORED))
    name = "\N{FIRE}" * 1000
    send(receiver, replace(message_with_link, workspace=name, destination=name, requested_by=name, alert=name))
    assert len(receiver.json["text"].encode("utf-16-le")) // 2 <= 4096


@pytest.mark.parametrize("typed", [TOKEN, f" {TOKEN}\n", "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw"])
def test_a_bot_token_is_kept(typed: str) -> None:
    assert TOKEN_FIELD.check(typed, OutboundClient()) == typed.strip()


@pytest.mark.parametrize(
    "typed", ["s3cr-tWord", f"bot{TOKEN}", f"{TOKEN}/sendMessage", f"https://x.example/{TOKEN}", "1:2"]
)
def test_a_text_that_is_no_bot_token_is_refused_without_repeating_it(typed: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        TOKEN_FIELD.check(typed, OutboundClient())
    assert "s3cr" not in str(caught.value)


@pytest.mark.parametrize("typed", ["42", CHAT, "-1", "@acme_alerts", f" {CHAT} "])
def test_a_chat_is_named_by_number_or_public_name(typed: str) -> None:
    assert CHAT_FIELD.check(typed, OutboundClient()) == typed.strip()


@pytest.mark.parametrize(
    "typed", ["acme", "@", "@1acme", "--1", "1" * 21, "https://t.me/acme", "\u0661", "@a b", "1.5"]
)
def test_a_text_that_names_no_chat_is_refused(typed: str) -> None:
    with pytest.raises(SettingInvalid):
        CHAT_FIELD.check(typed, OutboundClient())


@pytest.mark.parametrize("typed", ["general", "-1", "1" * 21, "2/3"])
def test_a_topic_id_has_digits_only(typed: str) -> None:
    with pytest.raises(SettingInvalid):
        TOPIC_FIELD.check(typed, OutboundClient())


@pytest.mark.parametrize("typed", [SERVER, f"{SERVER}/", "API.Telegram.org"])
def test_telegrams_server_is_kept(typed: str) -> None:
    assert SERVER_FIELD.check(typed, OutboundClient()) == SERVER


def test_a_server_of_ones_own_needs_the_administrator(receiver: RecordingReceiver) -> None:
    own = OutboundClient(Policy(extra_hosts={"telegram": ("bots.example.com",)}))
    assert SERVER_FIELD.check("https://bots.example.com", own) == "https://bots.example.com"
    assert SERVER_FIELD.check(receiver.url("/telegram"), receiver.outbound) == receiver.url("/telegram")
    with pytest.raises(SettingInvalid, match="not a host of Telegram"):
        SERVER_FIELD.check("https://bots.example.com", OutboundClient())


def test_without_a_server_telegrams_own_gets_the_message(message: Message) -> None:
    target = CHANNEL.targets({"bot_token": TOKEN, "chat_id": CHAT}, OutboundClient())
    assert target == CHANNEL.targets({"bot_token": TOKEN, "chat_id": CHAT, "server": SERVER}, OutboundClient()) != ()


def test_each_chat_of_a_bot_has_a_limit_of_its_own_whatever_the_token_is() -> None:
    def target(token: str, chat: str) -> object:
        return CHANNEL.targets({"bot_token": token, "chat_id": chat}, OutboundClient())

    assert target(TOKEN, "@Acme") == target(f"{TOKEN}x", "@acme") != target(TOKEN, "@other")
