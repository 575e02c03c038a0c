"""Slack: the request to an incoming webhook, and the meaning of its responses."""

from dataclasses import replace

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure, find_refusal, may_have_arrived
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.slack import CHANNEL
from webapp.failures import Code
from webapp.outbound import OutboundClient

PATH = "/services/T01/B02/s3cr-tWord"

(FIELD,) = CHANNEL.fields


def send(receiver: RecordingReceiver, message: Message) -> Accepted:
    return CHANNEL.send({"address": receiver.url(PATH)}, message, receiver.outbound)


@pytest.mark.parametrize("body", ["ok", "ok\n"])
@pytest.mark.parametrize("media_type", ["text/html", "text/html; charset=utf-8", "text/plain"])
def test_200_and_ok_mean_that_slack_accepted_the_message(
    body: str, media_type: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, body, {"Content-Type": media_type})
    assert send(receiver, message) == Accepted(200)


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (200, "no_service", Code.NOT_FOUND, "no_service"),
        (200, "<html>s3cr-tWord</html>", Code.SIGN_IN_PAGE, None),
        (200, "not ok, s3cr-tWord", Code.REMOTE_REJECTED, None),
        (200, "", Code.INVALID_RESPONSE, None),
        (200, "OK", Code.REMOTE_REJECTED, None),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (400, "invalid_payload", Code.BAD_REQUEST, "invalid_payload"),
        (400, "user_not_found", Code.NOT_FOUND, "user_not_found"),
        (400, "invalid_token", Code.NOT_FOUND, "invalid_token"),
        (403, "invalid_token", Code.NOT_FOUND, "invalid_token"),
        (400, "too_many_attachments", Code.BAD_REQUEST, "too_many_attachments"),
        (403, '{"ok": false, "error": "team_disabled"}', Code.NOT_FOUND, "team_disabled"),
        (403, '{"ok": false, "error": ["no_team"]}', Code.FORBIDDEN, None),
        (403, "posting_to_general_channel_denied", Code.FORBIDDEN, "posting_to_general_channel_denied"),
        (400, "no_text\n", Code.BAD_REQUEST, "no_text"),
        (400, "s3cr-tWord", Code.BAD_REQUEST, None),
        (400, b"\xff\xfe", Code.BAD_REQUEST, None),
        (403, "action_prohibited", Code.FORBIDDEN, "action_prohibited"),
        (404, "channel_not_found", Code.NOT_FOUND, "channel_not_found"),
        (404, "no_service", Code.NOT_FOUND, "no_service"),
        (404, "no_team", Code.NOT_FOUND, "no_team"),
        (410, "channel_is_archived", Code.GONE, "channel_is_archived"),
        (429, "", Code.RATE_LIMITED, None),
        (500, "rollup_error", Code.REMOTE_UNAVAILABLE, "rollup_error"),
        (500, "oops", Code.REMOTE_ERROR, None),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_word(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    assert find_refusal(send, receiver, message) == (code, status, token)


def test_a_truncated_acceptance_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, "o" * 20_000)
    assert may_have_arrived(send, receiver, message)


def test_the_requested_retry_delay_is_passed_on(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(429, "rate_limited", {"Retry-After": "30"})
    assert find_failure(send, receiver, message).retry_after == 30


def test_the_request_carries_a_text_that_identifies_the_test(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, "ok")
    send(receiver, message)
    assert receiver.request.content_type == "application/json"
    assert receiver.json["text"].splitlines() == [
        "*[TEST] Test alert from Acme GmbH*",
        "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
        "*Workspace:* Acme GmbH",
        "*Destination:* On-call",
        "*Sent by:* Support desk",
        "*Sent at:* 2026-11-03 08:35:06 UTC",
        "*Reference:* K7QM-4T",
    ]


def test_the_link_is_the_last_line_and_slack_does_not_unfurl_it(
    receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, "ok")
    send(receiver, message_with_link)
    assert receiver.json["text"].splitlines()[-1] == f"<{LINK}|I see it>"
    assert (receiver.json["unfurl_links"], receiver.json["unfurl_media"]) == (False, False)


def test_a_name_neither_mentions_the_channel_nor_becomes_a_link(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, "ok")
    send(receiver, replace(message, workspace="<!channel> & <https://evil.example|sons>"))
    assert "*Workspace:* &lt;!channel&gt; &amp; &lt;https://evil.example|sons&gt;" in receiver.json["text"]


def test_an_address_of_slack_for_governments_is_kept() -> None:
    assert FIELD.check(f"hooks.slack-gov.com{PATH}", OutboundClient()) == f"https://hooks.slack-gov.com{PATH}"


@pytest.mark.parametrize("typed", [f"https://hooks.slack.com{PATH}", f" https://Hooks.Slack.com:443{PATH}\n"])
def test_an_incoming_webhook_address_is_kept(typed: str) -> None:
    assert FIELD.check(typed, OutboundClient()) == f"https://hooks.slack.com{PATH}"


def test_a_trusted_origin_may_replace_slack(receiver: RecordingReceiver) -> None:
    assert FIELD.check(receiver.url("/slack"), receiver.outbound) == receiver.url("/slack")


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("https://hooks.slack.com/triggers/T01/2/s3cr-tWord", "Incoming Webhooks"),
        ("https://hooks.slack.com/workflows/T01/A1/2/s3cr-tWord", "Incoming Webhooks"),
        ("https://acme.slack.com/archives/s3cr-tWord", "Incoming Webhooks"),
        ("https://hooks.slack.com@evil.net/services/s3cr-tWord", "credentials"),
        ("https://slack.com.evil.net/services/s3cr-tWord", "type of the destination"),
        ("https://hooks.slack.com.evil.net/services/s3cr-tWord", "type of the destination"),
        ("http://hooks.slack.com/services/s3cr-tWord", "https://"),
    ],
)
def test_an_unusable_address_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        FIELD.check(typed, OutboundClient())
    assert advice in str(caught.value)
    assert "s3cr-tWord" not in str(caught.value)


def _target(address: str) -> object:
    return CHANNEL.targets({"address": address}, OutboundClient())


def test_each_webhook_has_a_limit_of_its_own_whatever_is_appended_to_its_address() -> None:
    own, appended = f"https://hooks.slack.com{PATH}", f"https://hooks.slack.com{PATH}/?number=1"
    strangers = "https://hooks.slack.com/services/T02/B02/s3cr-tWord"

    assert _target(own) == _target(appended) != _target(strangers)
