"""Google Chat: the request to a webhook of a space, and the meaning of its responses."""

import json
from dataclasses import replace
from types import MappingProxyType

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure, find_refusal, may_have_arrived
from webapp.channels import check_setting
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.google_chat import CHANNEL
from webapp.channels.message import Message
from webapp.failures import Code
from webapp.outbound import OutboundClient, Policy

PATH = "/v1/spaces/AAAAk6lGXyM/messages?key=AIzaSy-Public&token=s3cr-tWord%3D"
ADDRESS = f"https://chat.googleapis.com{PATH}"
CREATED = json.dumps({"name": "spaces/AAAAk6lGXyM/messages/x.y", "thread": {"name": "spaces/AAAAk6lGXyM/threads/z"}})

(FIELD,) = CHANNEL.fields


def send(receiver: RecordingReceiver, message: Message) -> Accepted:
    return CHANNEL.send({"address": receiver.url(PATH)}, message, receiver.outbound)


def error(code: int, status: object, *details: object) -> str:
    """The body of a failure as Google sends it, with a text that repeats the secret."""
    found = {"code": code, "message": "no webhook s3cr-tWord", "status": status}
    return json.dumps({"error": found | ({"details": list(details)} if details else {})})


def reason(word: object) -> dict[str, object]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": word, "domain": "googleapis.com"}


@pytest.mark.parametrize("body", [CREATED, f" {CREATED}\n", '{"name": "spaces/A/messages/B"}'])
def test_200_and_the_name_of_the_message_mean_that_google_chat_accepted_it(
    body: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, body)
    assert send(receiver, message) == Accepted(200)


DEEP = "[" * 16_000


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (200, "", Code.INVALID_RESPONSE, None),
        (200, "ok", Code.REMOTE_REJECTED, None),
        (200, "{}", Code.REMOTE_REJECTED, None),
        (200, '["spaces/A"]', Code.REMOTE_REJECTED, None),
        (200, '{"name": "rooms/A"}', Code.REMOTE_REJECTED, None),
        (200, '{"name": ["spaces/A"]}', Code.REMOTE_REJECTED, None),
        (200, '{"name": null}', Code.REMOTE_REJECTED, None),
        (200, "<html>spaces/s3cr-tWord</html>", Code.SIGN_IN_PAGE, None),
        (200, DEEP, Code.INVALID_RESPONSE, None),
        (200, error(403, "PERMISSION_DENIED"), Code.FORBIDDEN, "PERMISSION_DENIED"),
        (200, b"\xff\xfe", Code.REMOTE_REJECTED, None),
        (201, CREATED, Code.UNEXPECTED_STATUS, None),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (400, error(400, "INVALID_ARGUMENT"), Code.BAD_REQUEST, "INVALID_ARGUMENT"),
        (400, error(400, "INVALID_ARGUMENT", reason("API_KEY_INVALID")), Code.AUTH_FAILED, "API_KEY_INVALID"),
        (
            400,
            error(400, "INVALID_ARGUMENT", "x", reason(["y"]), reason("s3cr-tWord")),
            Code.BAD_REQUEST,
            "INVALID_ARGUMENT",
        ),
        (400, error(400, "FAILED_PRECONDITION"), Code.BAD_REQUEST, "FAILED_PRECONDITION"),
        (400, error(400, "s3cr-tWord"), Code.BAD_REQUEST, None),
        (400, error(400, ["INVALID_ARGUMENT"]), Code.BAD_REQUEST, None),
        (400, '{"error": "PERMISSION_DENIED"}', Code.BAD_REQUEST, None),
        (400, '{"error": {"details": {"reason": "API_KEY_INVALID"}}}', Code.BAD_REQUEST, None),
        (400, DEEP, Code.BAD_REQUEST, None),
        (401, error(401, "UNAUTHENTICATED"), Code.AUTH_FAILED, "UNAUTHENTICATED"),
        (401, "", Code.AUTH_FAILED, None),
        (403, error(403, "PERMISSION_DENIED"), Code.FORBIDDEN, "PERMISSION_DENIED"),
        (403, error(403, "PERMISSION_DENIED", reason("SERVICE_DISABLED")), Code.FORBIDDEN, "SERVICE_DISABLED"),
        (403, "<html>s3cr-tWord</html>", Code.FORBIDDEN, None),
        (404, error(404, "NOT_FOUND"), Code.NOT_FOUND, "NOT_FOUND"),
        (404, "", Code.NOT_FOUND, None),
        (405, "", Code.METHOD_NOT_ALLOWED, None),
        (410, "", Code.GONE, None),
        (413, "", Code.PAYLOAD_TOO_LARGE, None),
        (429, error(429, "RESOURCE_EXHAUSTED"), Code.RATE_LIMITED, "RESOURCE_EXHAUSTED"),
        (429, "", Code.RATE_LIMITED, None),
        (500, error(500, "INTERNAL"), Code.REMOTE_ERROR, "INTERNAL"),
        (500, "", Code.REMOTE_ERROR, None),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, error(503, "UNAVAILABLE"), Code.REMOTE_UNAVAILABLE, "UNAVAILABLE"),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
        (504, error(504, "DEADLINE_EXCEEDED"), Code.GATEWAY_GAVE_UP, "DEADLINE_EXCEEDED"),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_word(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    assert find_refusal(send, receiver, message) == (code, status, token)


def test_a_truncated_acceptance_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps({"text": "x" * 20_000, "name": "spaces/A/messages/B"}))
    assert may_have_arrived(send, receiver, message)


def test_the_requested_retry_delay_is_passed_on(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(429, error(429, "RESOURCE_EXHAUSTED"), {"Retry-After": "30"})
    assert find_failure(send, receiver, message).retry_after == 30


def test_the_request_carries_a_text_that_identifies_the_test(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, CREATED)
    send(receiver, message)
    assert receiver.request.content_type == "application/json"
    assert receiver.request.args["token"] == "s3cr-tWord="
    assert list(receiver.json) == ["text"]
    assert receiver.json["text"].splitlines() == [
        "*[TEST] Test alert from Acme GmbH*",
        "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
        "*Workspace:* Acme GmbH",
        "*Destination:* On-call",
        "*Sent by:* Support desk",
        "*Sent at:* 2026-11-03 08:35:06 UTC",
        "*Reference:* K7QM-4T",
    ]


def test_the_link_is_the_last_line(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(200, CREATED)
    send(receiver, message_with_link)
    assert receiver.json["text"].splitlines()[-1] == f"I see it: {LINK}"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("<users/all>", "‹users/all›"),
        ("<https://evil.example|sons>", "‹https:∕∕evil․example|sons›"),
        ("[sons](https://evil.example)", "[sons] (https:∕∕evil․example)"),
        ("www.evil.example", "www․evil․example"),
        ("*a* ~b~ `c` _d_ __e__", "∗a∗ ∼b∼ ˋcˋ ＿d＿ ＿＿e＿＿"),
        ("ops_eu_1", "ops_eu_1"),
        ("R&D, Inc. “Süd”", "R&D, Inc. “Süd”"),
    ],
)
def test_a_name_is_no_mention_no_link_and_no_markup(
    name: str, shown: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, CREATED)
    send(receiver, replace(message, workspace=name))
    lines = receiver.json["text"].splitlines()
    assert (lines[0], lines[2]) == (f"*[TEST] Test alert from {shown}*", f"*Workspace:* {shown}")


@pytest.mark.parametrize("character", ["x", "🚢", "<", "."])
@pytest.mark.parametrize("alert", [None, "a" * 1000])
def test_the_longest_names_fit_into_a_message(
    character: str, alert: str | None, receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, CREATED)
    name = character * 1000
    send(receiver, replace(message_with_link, workspace=name, destination=name, requested_by=name, alert=alert))
    assert len(receiver.json["text"].encode("utf-16-le")) // 2 <= 4000
    assert receiver.json["text"].endswith(LINK)


@pytest.mark.parametrize(
    "typed", [ADDRESS, f" {ADDRESS.replace('&', '&amp;')}\n", f"<{ADDRESS}>", ADDRESS.removeprefix("https://")]
)
def test_the_address_of_a_webhook_is_kept(typed: str) -> None:
    assert FIELD.check(typed, OutboundClient()) == ADDRESS


def test_the_parameters_that_choose_a_thread_are_kept() -> None:
    threaded = f"{ADDRESS}&threadKey=alerts&messageReplyOption=REPLY_MESSAGE_FALLBACK_TO_NEW_THREAD"
    assert FIELD.check(threaded, OutboundClient()) == threaded


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (ADDRESS.partition("&")[0], "it has no token. In Google Chat, open the space"),
        (ADDRESS.replace("key=AIzaSy-Public&", ""), "it has no key. In Google Chat"),
        (ADDRESS.replace("s3cr-tWord%3D", ""), "it has no token."),
        (ADDRESS.replace("s3cr-tWord%3D", "%20"), "it has no token."),
        (ADDRESS.partition("?")[0], "it has no key and no token."),
        (ADDRESS.replace("/messages", ""), "not the address of a webhook"),
        (ADDRESS.replace("/v1/spaces", "/v1/rooms"), "not the address of a webhook"),
        (ADDRESS.replace("AAAAk6lGXyM", "A/members"), "not the address of a webhook"),
        ("https://chat.google.com/room/s3cr-tWord", "has pages of Google Chat, but no webhook. In Google Chat, open"),
        ("https://mail.google.com/chat/u/0/#chat/space/s3cr-tWord", "has a #"),
        (ADDRESS.replace("chat.", "gmail."), "not a host of Google Chat"),
        (ADDRESS.replace("https", "http"), "https://"),
        (ADDRESS.replace("chat.googleapis", "chat.googleapis.com.evil"), "not a host of Google Chat"),
    ],
)
def test_an_unusable_address_is_refused_with_advice(typed: str, complaint: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        check_setting(CHANNEL, FIELD, typed, OutboundClient())
    assert complaint in str(caught.value)
    assert "s3cr-tWord" not in str(caught.value)


def test_a_trusted_origin_may_replace_google_chat(receiver: RecordingReceiver) -> None:
    assert FIELD.check(receiver.url("/x?sig=1"), receiver.outbound) == receiver.url("/x?sig=1")


def test_a_host_added_by_the_administrator_is_a_host_of_google_chat() -> None:
    outbound = OutboundClient(Policy(extra_hosts=MappingProxyType({"google_chat": ("chat.acme.com",)})))
    assert FIELD.check("https://chat.acme.com/x", outbound) == "https://chat.acme.com/x"


def _target(address: str) -> object:
    return CHANNEL.targets({"address": address}, OutboundClient())


def test_each_webhook_has_a_limit_of_its_own_whatever_is_appended_to_its_address() -> None:
    appended = f"{ADDRESS}&threadKey=1"
    reordered = "https://chat.googleapis.com/v1/spaces/AAAAk6lGXyM/messages?token=s3cr-tWord%3D&key=AIzaSy-Public"
    assert _target(ADDRESS) == _target(appended) == _target(reordered)


@pytest.mark.parametrize(("part", "other"), [("s3cr-tWord", "other"), ("AAAAk6lGXyM", "BBBB")])
def test_another_webhook_or_space_is_another_target(part: str, other: str) -> None:
    assert _target(ADDRESS) != _target(ADDRESS.replace(part, other))
