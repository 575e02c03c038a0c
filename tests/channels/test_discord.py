"""Discord: the request to a webhook, and the meaning of its responses."""

import json
from dataclasses import replace

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure
from webapp.channels.contract import Accepted
from webapp.channels.discord import CHANNEL, WORDS
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.deliveries.badge import next_step
from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.outbound import OutboundClient

PATH = "/api/webhooks/1440000000000000001/s3cr-tWord"
# What Discord returns with `wait=true`, shortened.
STORED = '{"id": "1440000000000000002", "type": 0, "content": "", "channel_id": "1", "webhook_id": "2"}'
HTML = "<!DOCTYPE html><html><head><title>Access denied | s3cr-tWord</title></head></html>"
LIMITED = '{"message": "You are being rate limited.", "retry_after": 64.57, "global": false}'

FIELD, THREAD = CHANNEL.fields


def send(receiver: RecordingReceiver, message: Message, query: str = "", thread_id: str = "") -> Accepted:
    settings = {"address": receiver.url(PATH) + query, "thread_id": thread_id}
    return CHANNEL.send(settings, message, receiver.outbound)


def failure_of(receiver: RecordingReceiver, message: Message) -> DeliveryFailed:
    return find_failure(send, receiver, message)


def error(number: object, text: str = "s3cr-tWord") -> str:
    return json.dumps({"message": text, "code": number})


@pytest.mark.parametrize("body", [STORED, '{"id": 1440000000000000002}', f"\n {STORED}\n"])
def test_200_and_the_stored_message_mean_that_discord_accepted_it(
    body: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, body, {"Content-Type": "application/json"})
    assert send(receiver, message) == Accepted(200)


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (204, "", Code.UNEXPECTED_STATUS, None),
        (201, STORED, Code.UNEXPECTED_STATUS, None),
        (200, "", Code.INVALID_RESPONSE, None),
        (200, "ok", Code.REMOTE_REJECTED, None),
        (200, HTML, Code.SIGN_IN_PAGE, None),
        (200, "null", Code.REMOTE_REJECTED, None),
        (200, f"[{STORED}]", Code.REMOTE_REJECTED, None),
        (200, "[" * 9000, Code.INVALID_RESPONSE, None),
        (200, '{"id": ' + "[" * 9000, Code.INVALID_RESPONSE, None),
        (200, '{"id": null}', Code.REMOTE_REJECTED, None),
        (200, '{"id": ""}', Code.REMOTE_REJECTED, None),
        (200, '{"id": true}', Code.REMOTE_REJECTED, None),
        (200, '{"id": ["1"]}', Code.REMOTE_REJECTED, None),
        (200, '{"id": "s3cr-tWord"}', Code.REMOTE_REJECTED, None),
        (200, '{"channel_id": "1"}', Code.REMOTE_REJECTED, None),
        (200, error(10015), Code.NOT_FOUND, "10015 Unknown webhook"),
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (400, error(50006, "Cannot send an empty message"), Code.BAD_REQUEST, "50006 Empty message"),
        (400, error(50035, "Invalid Form Body"), Code.BAD_REQUEST, "50035 Invalid form"),
        (400, error(50109), Code.BAD_REQUEST, "50109 Invalid JSON"),
        (400, error(220001), Code.BAD_REQUEST, "220001 A forum channel needs a thread"),
        (400, error(10003, "Unknown Channel"), Code.NOT_FOUND, "10003 Unknown channel"),
        (400, error(160005), Code.GONE, "160005 Locked thread"),
        (400, error(200000), Code.FORBIDDEN, "200000 Blocked by AutoMod"),
        (400, error(99999), Code.BAD_REQUEST, None),
        (400, error("50006"), Code.BAD_REQUEST, None),
        (400, error([10015]), Code.BAD_REQUEST, None),
        (400, error({"10015": 1}), Code.BAD_REQUEST, None),
        (400, error(True), Code.BAD_REQUEST, None),
        (400, "s3cr-tWord", Code.BAD_REQUEST, None),
        (400, b"\xff\xfe", Code.BAD_REQUEST, None),
        (401, error(50027, "Invalid Webhook Token"), Code.AUTH_FAILED, "50027 Invalid webhook token"),
        (401, '{"message": "401: Unauthorized", "code": 0}', Code.AUTH_FAILED, None),
        (403, error(50013), Code.FORBIDDEN, "50013 Missing permission"),
        (403, error(40333, "internal network error"), Code.FORBIDDEN, "40333 Blocked by Cloudflare"),
        (403, "error code: 1010", Code.FORBIDDEN, None),
        (403, HTML, Code.FORBIDDEN, None),
        (404, error(10015, "Unknown Webhook"), Code.NOT_FOUND, "10015 Unknown webhook"),
        (404, '{"message": "404: Not Found", "code": 0}', Code.NOT_FOUND, None),
        (405, '{"message": "405: Method Not Allowed", "code": 0}', Code.METHOD_NOT_ALLOWED, None),
        (413, error(40005), Code.PAYLOAD_TOO_LARGE, "40005 Message too large"),
        (429, LIMITED, Code.RATE_LIMITED, None),
        (429, "error code: 1015", Code.RATE_LIMITED, None),
        (500, '{"message": "500: Internal Server Error", "code": 0}', Code.REMOTE_ERROR, None),
        (502, HTML, Code.GATEWAY_GAVE_UP, None),
        (503, error(130000), Code.REMOTE_UNAVAILABLE, "130000 Overloaded"),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
        (521, HTML, Code.REMOTE_UNAVAILABLE, None),
        (524, HTML, Code.GATEWAY_GAVE_UP, None),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_number(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    failure = failure_of(receiver, message)
    facts = failure.facts
    assert (failure.code, facts.status, facts.token, facts.host) == (code, status, token, "127.0.0.1")
    assert "s3cr-tWord" not in failure.message


def test_an_acceptance_that_is_cut_off_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, STORED[:-1] + " " * 20_000 + "}")
    assert MEANINGS[failure_of(receiver, message).code].may_have_arrived


@pytest.mark.parametrize(
    ("header", "body", "seconds"),
    [
        ("65", LIMITED, 65),
        ("0.5", LIMITED, 64.57),
        (None, LIMITED, 64.57),
        (None, '{"retry_after": 0}', 0),
        (None, '{"retry_after": 1e300}', 31 * 24 * 3600),
        (None, '{"retry_after": Infinity}', None),
        (None, '{"retry_after": NaN}', None),
        (None, '{"retry_after": -1}', None),
        (None, '{"retry_after": true}', None),
        (None, '{"retry_after": "30"}', None),
        (None, '{"retry_after": {"seconds": 30}}', None),
        (None, "error code: 1015", None),
    ],
)
def test_the_header_decides_how_long_to_wait_and_without_one_the_body(
    header: str | None, body: str, seconds: float | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(429, body, {"Retry-After": header} if header else None)
    failure = failure_of(receiver, message)
    assert failure.retry_after == failure.facts.wait == seconds
    assert failure.may_retry


def test_a_wait_is_ignored_where_no_other_attempt_is_made(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(404, '{"code": 10015, "retry_after": 5}')
    assert failure_of(receiver, message).retry_after is None


@pytest.mark.parametrize(
    ("query", "thread_id", "sent"),
    [
        ("", "", {"wait": "true"}),
        ("?wait=false", "", {"wait": "true"}),
        ("?wait=false&wait=0", "", {"wait": "true"}),
        ("?w%61it=false", "", {"wait": "true"}),
        ("?wait", "", {"wait": "true"}),
        ("?thread_id=42", "", {"wait": "true", "thread_id": "42"}),
        ("?thread_id=42&wait=false", "", {"wait": "true", "thread_id": "42"}),
        ("", "43", {"wait": "true", "thread_id": "43"}),
        ("?thread_id=42", "43", {"wait": "true", "thread_id": "43"}),
        ("?thread_id=", "", {"wait": "true"}),
    ],
)
def test_the_request_waits_for_the_stored_message_and_names_its_thread(
    query: str, thread_id: str, sent: dict[str, str], receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, STORED)
    send(receiver, message, query, thread_id)
    assert receiver.request.path == PATH
    assert list(receiver.request.args.items(multi=True)) == list(sent.items())


def test_the_request_carries_a_text_that_identifies_the_test(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, STORED)
    send(receiver, message)
    assert receiver.request.content_type == "application/json"
    assert receiver.json["content"].splitlines() == [
        r"**\[TEST\] Test alert from Acme GmbH**",
        "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
        "**Workspace:** Acme GmbH",
        "**Destination:** On-call",
        "**Sent by:** Support desk",
        "**Sent at:** 2026-11-03 08:35:06 UTC",
        "**Reference:** K7QM-4T",
    ]


def test_the_message_mentions_nobody_and_embeds_nothing(
    receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, STORED)
    send(receiver, message_with_link)
    assert receiver.json["content"].splitlines()[-1] == f"I see it: <{LINK}>"
    assert (receiver.json["allowed_mentions"], receiver.json["flags"]) == ({"parse": []}, 1 << 2)


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        ("@everyone <@123> <@&4> <#5>", r"\@everyone \<\@123\> \<\@&4\> \<\#5\>"),
        ("[pay](https://evil.example)", r"\[pay\]\(https\:\/\/evil.example\)"),
        ("https://evil.example", r"https\:\/\/evil.example"),
        ("discord.gg/evil", r"discord.gg\/evil"),
        ("**a** __b__ ~~c~~ ||d|| `e`", r"\*\*a\*\* \_\_b\_\_ \~\~c\~\~ \|\|d\|\| \`e\`"),
        (r"\[a](b)", r"\\\[a\]\(b\)"),
        (":skull: <:a:1> <t:1> 10:30", r"\:skull\: \<\:a\:1\> \<t\:1\> 10:30"),
        ("# Büro & Söhne", r"\# Büro & Söhne"),
    ],
)
def test_a_name_is_neither_a_mention_nor_a_link_nor_markdown(
    name: str, escaped: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, STORED)
    send(receiver, replace(message, workspace=name))
    lines = receiver.json["content"].splitlines()
    assert lines[0] == rf"**\[TEST\] Test alert from {escaped}**"
    assert f"**Workspace:** {escaped}" in lines


@pytest.mark.parametrize("character", ["*", "\N{FIRE}", "x"])
@pytest.mark.parametrize("alert", [None, "*" * 1000])
def test_names_are_cut_so_that_the_text_stays_within_discords_limit(
    character: str, alert: str | None, receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, STORED)
    name = character * 1000
    send(receiver, replace(message_with_link, workspace=name, destination=name, requested_by=name, alert=alert))
    text = receiver.json["content"]
    assert len(text.encode("utf-16-le")) // 2 <= 2000
    assert text.splitlines()[-2:] == ["**Reference:** K7QM-4T", f"I see it: <{LINK}>"]


@pytest.mark.parametrize("host", ["discord.com", "discordapp.com", "ptb.discord.com", "canary.discord.com"])
@pytest.mark.parametrize(
    "path", [PATH, PATH.replace("/api", "/api/v10"), f"{PATH}/", f"{PATH}?thread_id=42&wait=false"]
)
def test_a_webhook_address_is_kept(host: str, path: str) -> None:
    assert FIELD.check(f" {host}{path}\n", OutboundClient()) == f"https://{host}{path}"


def test_a_trusted_origin_may_replace_discord(receiver: RecordingReceiver) -> None:
    assert FIELD.check(receiver.url("/discord"), receiver.outbound) == receiver.url("/discord")


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        (f"https://discord.com{PATH}/slack", "Remove /slack from its end"),
        (f"https://discord.com{PATH}/Slack/?wait=true", "Remove /slack from its end"),
        (f"https://discord.com{PATH}/github", "Remove /github from its end"),
        (f"https://discord.com{PATH}/messages/@original", "Copy Webhook URL"),
        ("https://discord.com/api/webhooks/144/", "Copy Webhook URL"),
        (f"https://discord.com{PATH.removeprefix('/api')}", "Copy Webhook URL"),
        ("https://discord.com/channels/1/2?s3cr-tWord", "Copy Webhook URL"),
        ("https://support.discord.com/hc/s3cr-tWord", "Copy Webhook URL"),
        (f"https://discord.com{PATH}?thread_id=s3cr-tWord", "digits only"),
        (f"https://discord.com.evil.net{PATH}", "type of the destination"),
        (f"https://discord.com@evil.net{PATH}", "credentials"),
        (f"http://discord.com{PATH}", "https://"),
    ],
)
def test_an_unusable_address_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        FIELD.check(typed, OutboundClient())
    assert advice in str(caught.value)
    assert "s3cr-tWord" not in str(caught.value)


@pytest.mark.parametrize("typed", ["general", "-1", "1" * 21, "1 2", "\u0661", "<#1>"])
def test_a_thread_id_has_digits_only(typed: str) -> None:
    with pytest.raises(SettingInvalid):
        THREAD.check(typed, OutboundClient())


def test_a_thread_id_is_kept_without_the_spaces_around_it() -> None:
    assert THREAD.check(" 1440000000000000003\n", OutboundClient()) == "1440000000000000003"


@pytest.mark.parametrize(
    ("query", "typed", "fields"),
    [
        ("?thread_id=1", "2", {"thread_id"}),
        ("?thread_id=1", "1", set()),
        ("?thread_id=1", "", set()),
        ("", "2", set()),
    ],
)
def test_a_thread_that_is_named_twice_must_be_the_same(query: str, typed: str, fields: set[str]) -> None:
    settings = {"address": f"https://discord.com{PATH}{query}", "thread_id": typed}
    assert set(CHANNEL.find_conflicts(settings)) == fields


def _target(address: str) -> object:
    return CHANNEL.targets({"address": address}, OutboundClient())


@pytest.mark.parametrize(
    "other",
    [
        f"https://ptb.discord.com{PATH}",
        f"https://discordapp.com{PATH.replace('/api', '/api/v9')}/?wait=true",
        f"https://discord.com{PATH}?thread_id=42",
    ],
)
def test_a_webhook_has_one_limit_however_its_address_is_written(other: str) -> None:
    own, strangers = f"https://discord.com{PATH}", "https://discord.com/api/webhooks/2/s3cr-tWord"
    assert _target(own) == _target(other) != _target(strangers)


def test_a_forum_channel_without_a_thread_is_explained() -> None:
    code = WORDS["220001 A forum channel needs a thread"]
    assert "thread id of one of its posts" in next_step(code, "discord")


@pytest.mark.parametrize("depth", [1, 900, 1496])
def test_an_id_that_is_nested_is_none(depth: int, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, '{"id": ' + "[" * depth + "]" * depth + "}")
    # Python 3.11 cannot read the deepest one.
    assert failure_of(receiver, message).code in (Code.REMOTE_REJECTED, Code.INVALID_RESPONSE)
