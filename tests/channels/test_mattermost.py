"""Mattermost: the request to an incoming webhook, and the meaning of its responses."""

import json
from dataclasses import replace

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.mattermost import CHANNEL
from webapp.channels.message import Message
from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.outbound import OutboundClient

SECRET = "s3crtw0rds3crtw0rds3crtw0r"
PATH = f"/hooks/{SECRET}"
HTML = f"<!DOCTYPE html><html><title>{SECRET}</title></html>"
# Separates what would begin a mention or a link from what follows it.
S = "\u200b"

(FIELD,) = CHANNEL.fields


def error(identifier: object, status: int) -> str:
    """Return an error as Mattermost's server writes it, which repeats the secret."""
    text = f"Failed to handle the payload of media type application/json for incoming webhook {SECRET}."
    detail = f"webhook_id={SECRET}, error: not found"
    answer = {"id": identifier, "message": text, "detailed_error": detail, "request_id": "r1", "status_code": status}
    return json.dumps(answer)


def send(receiver: RecordingReceiver, message: Message) -> Accepted:
    return CHANNEL.send({"address": receiver.url(PATH)}, message, receiver.outbound)


def failure_of(receiver: RecordingReceiver, message: Message) -> DeliveryFailed:
    return find_failure(send, receiver, message)


@pytest.mark.parametrize("body", ["ok", "ok\n"])
def test_200_and_ok_mean_that_mattermost_accepted_the_message(
    body: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, body)
    assert send(receiver, message) == Accepted(200)


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (200, "", Code.INVALID_RESPONSE, None),
        (200, "OK", Code.REMOTE_REJECTED, None),
        (200, '"ok"', Code.REMOTE_REJECTED, None),
        (200, '{"status": "OK"}', Code.REMOTE_REJECTED, None),
        (200, HTML, Code.SIGN_IN_PAGE, None),
        (201, "ok", Code.UNEXPECTED_STATUS, None),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (200, "[" * 9000, Code.INVALID_RESPONSE, None),
        (
            200,
            error("web.incoming_webhook.text.app_error", 400),
            Code.BAD_REQUEST,
            "web.incoming_webhook.text.app_error",
        ),
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        *[
            (status, error(identifier, status), code, identifier)
            for status, identifier, code in [
                (400, "web.incoming_webhook.invalid.app_error", Code.NOT_FOUND),
                (400, "web.incoming_webhook.decode.app_error", Code.BAD_REQUEST),
                (400, "web.incoming_webhook.parse.app_error", Code.BAD_REQUEST),
                (400, "model.incoming_hook.parse_data.app_error", Code.BAD_REQUEST),
                (400, "api.webhook.incoming.error", Code.BAD_REQUEST),
                (400, "api.post.create_post.can_not_post_to_deleted.error", Code.GONE),
                (403, "web.incoming_webhook.permissions.app_error", Code.FORBIDDEN),
                (403, "web.incoming_webhook.user.app_error", Code.FORBIDDEN),
                (403, "web.incoming_webhook.channel_locked.app_error", Code.FORBIDDEN),
                (404, "app.channel.get.existing.app_error", Code.GONE),
                (404, "web.incoming_webhook.channel.app_error", Code.GONE),
                (404, "api.context.404.app_error", Code.NOT_FOUND),
                (501, "web.incoming_webhook.disabled.app_error", Code.FORBIDDEN),
            ]
        ],
        (400, error(SECRET, 400), Code.BAD_REQUEST, None),
        (400, error([SECRET], 400), Code.BAD_REQUEST, None),
        (400, error(None, 400), Code.BAD_REQUEST, None),
        (400, "web.incoming_webhook.invalid.app_error", Code.BAD_REQUEST, None),
        (400, SECRET, Code.BAD_REQUEST, None),
        (400, b"\xff\xfe", Code.BAD_REQUEST, None),
        (401, "", Code.AUTH_FAILED, None),
        (403, HTML, Code.FORBIDDEN, None),
        (404, HTML, Code.NOT_FOUND, None),
        (405, "", Code.METHOD_NOT_ALLOWED, None),
        (413, HTML, Code.PAYLOAD_TOO_LARGE, None),
        (429, "limit exceeded", Code.RATE_LIMITED, None),
        (500, error("app.channel.get.find.app_error", 500), Code.REMOTE_ERROR, None),
        (501, "", Code.METHOD_NOT_ALLOWED, None),
        (502, HTML, Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_id(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    failure = failure_of(receiver, message)
    facts = failure.facts
    assert (failure.code, facts.status, facts.token, facts.host) == (code, status, token, "127.0.0.1")
    assert SECRET not in failure.message


def test_an_acceptance_that_is_cut_off_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, "o" * 20_000)
    assert MEANINGS[failure_of(receiver, message).code].may_have_arrived


def test_the_requested_retry_delay_is_passed_on(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(429, "limit exceeded", {"Retry-After": "1"})
    assert failure_of(receiver, message).retry_after == 1


def test_the_request_carries_a_text_that_identifies_the_test(
    receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, "ok")
    send(receiver, message_with_link)
    assert receiver.request.content_type == "application/json"
    assert set(receiver.json) == {"text"}
    assert receiver.json["text"].split("  \n") == [
        "`[TEST] Test alert from Acme GmbH`",
        "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
        "**Workspace:** `Acme GmbH`",
        "**Destination:** `On-call`",
        "**Sent by:** `Support desk`",
        "**Sent at:** `2026-11-03 08:35:06 UTC`",
        "**Reference:** `K7QM-4T`",
        f"[I see it]({LINK})",
    ]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("@channel @all @here @dana", f"@{S}channel @{S}all @{S}here @{S}dana"),
        ("<!channel> <@u1>", f"<{S}!channel> <{S}@{S}u1>"),
        ("[pay](https://evil.example)", f"[pay]{S}(https:{S}//evil.example)"),
        ("![x](http://evil.example/i.png)", f"![x]{S}(http:{S}//evil.example/i.png)"),
        ("WWW.evil.example", f"WWW{S}.evil.example"),
        ("a`@all`b ``c``", f"a'@{S}all'b ''c''"),
        ("**b** #tag :tada: $x$", "**b** #tag :tada: $x$"),
        ("Büro & Söhne [a] (b)", "Büro & Söhne [a] (b)"),
    ],
)
def test_a_name_is_code_without_mention_or_link(
    name: str, shown: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, "ok")
    send(receiver, replace(message, workspace=name))
    lines = receiver.json["text"].split("  \n")
    assert lines[0] == f"`[TEST] Test alert from {shown}`"
    assert lines[2] == f"**Workspace:** `{shown}`"


def test_the_longest_names_fit_into_one_post(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(200, "ok")
    name = "@" * 1000
    long = replace(message_with_link, workspace=name, destination=name, requested_by=name, alert=name)
    send(receiver, long)
    assert len(receiver.json["text"]) < 4000  # the limit of servers with an old database; 16,383 otherwise


@pytest.mark.parametrize("start", ["https://chat.example.com", "https://example.com/team/mattermost"])
@pytest.mark.parametrize("end", [PATH, f"{PATH}/"])
def test_an_incoming_webhook_of_any_host_is_kept(start: str, end: str) -> None:
    assert FIELD.check(f" {start}{end}\n", OutboundClient()) == f"{start}{end}"


def test_a_trusted_origin_may_have_any_path(receiver: RecordingReceiver) -> None:
    assert FIELD.check(receiver.url("/mattermost"), receiver.outbound) == receiver.url("/mattermost")


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("https://chat.example.com", "Incoming Webhooks"),
        (f"https://chat.example.com/acme/channels/{SECRET}", "Incoming Webhooks"),
        ("https://chat.example.com/hooks/", "Incoming Webhooks"),
        (f"https://chat.example.com/hooks/commands/{SECRET}", "Incoming Webhooks"),
        (f"https://chat.example.com/api/v4/hooks/incoming/{SECRET}", "Incoming Webhooks"),
        (f"https://user:{SECRET}@chat.example.com/hooks/x", "user name or a password"),
        (f"http://10.0.0.7:8065{PATH}", "ask your Alertcheck administrator"),
    ],
)
def test_an_unusable_address_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        FIELD.check(typed, OutboundClient())
    assert advice in str(caught.value)
    assert SECRET not in str(caught.value)


def test_all_webhooks_of_one_server_share_a_limit() -> None:
    own = CHANNEL.targets({"address": f"https://chat.example.com{PATH}"}, OutboundClient())
    other = CHANNEL.targets({"address": "https://Chat.example.com:443/hooks/x"}, OutboundClient())
    strangers = CHANNEL.targets({"address": f"https://chat.example.net{PATH}"}, OutboundClient())
    assert own == other != strangers
