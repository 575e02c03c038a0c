"""Pushover: the request to its API, and the meaning of its responses."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure, find_refusal, may_have_arrived
from webapp.channels import check_setting
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.pushover import CHANNEL
from webapp.failures import Code
from webapp.outbound import OutboundClient, Policy

APP_TOKEN, USER_KEY = "azGDORePK8gMaC0QOYAMyEEuzJnyUi", "uQiRzpo4DXghDmr9QzzfQu27cmVRsG"
ACCEPTED = '{"status":1,"request":"647d2300-702c-4b38-8b2f-d56326ae460b"}'

FIELDS = {field.name: field for field in CHANNEL.fields}


def settings(server: str = "https://api.pushover.net") -> dict[str, str]:
    return {"app_token": APP_TOKEN, "user_key": USER_KEY, "server": server}


def send(receiver: RecordingReceiver, message: Message) -> Accepted:
    return CHANNEL.send(settings(receiver.url("").rstrip("/")), message, receiver.outbound)


def refusal(*errors: object, status: object = 0, **parameters: object) -> str:
    """The body of a failure as Pushover sends it, which may repeat a key."""
    return json.dumps({**parameters, "errors": [*errors, f"see {USER_KEY}"], "status": status, "request": "5c4487c0"})


@pytest.mark.parametrize("body", [ACCEPTED, f"{ACCEPTED}\n", '{"status": 1}'])
def test_200_and_status_1_mean_that_pushover_accepted_the_message(
    body: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, body)
    assert send(receiver, message) == Accepted(200)


def test_a_message_that_reaches_no_device_was_not_delivered(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, '{"info": "no active devices to send to", "status": 1, "request": "5c4487c0"}')
    failure = find_failure(send, receiver, message)
    assert (failure.code, failure.may_retry) == (Code.NOT_FOUND, False)
    assert failure.message == "127.0.0.1 answered 200, but no device is active to which it could send the message."
    assert "none of the devices is active" in CHANNEL.hints[Code.NOT_FOUND]


@pytest.mark.parametrize("info", ["another remark", "", None, 1, ["no active devices to send to"]])
def test_another_remark_changes_nothing(info: object, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps({"info": info, "status": 1}))
    assert send(receiver, message) == Accepted(200)


INVALID_TOKEN = "application token is invalid, see https://pushover.net/api"
INVALID_USER = "user identifier is not a valid user, group, or subscribed user key, see https://pushover.net/api"
DEEP = "[" * 16_000
DAY = 86400
NONE = -DAY


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (200, "", Code.INVALID_RESPONSE, None),
        (200, "ok", Code.REMOTE_REJECTED, None),
        (200, "1", Code.REMOTE_REJECTED, None),
        (200, "{}", Code.REMOTE_REJECTED, None),
        (200, '{"status": 0}', Code.REMOTE_REJECTED, None),
        (200, '{"status": "1"}', Code.REMOTE_REJECTED, None),
        (200, '{"status": true}', Code.REMOTE_REJECTED, None),
        (200, '{"status": 1.0}', Code.REMOTE_REJECTED, None),
        (200, '[{"status": 1}]', Code.REMOTE_REJECTED, None),
        (200, f"<html>{USER_KEY}</html>", Code.SIGN_IN_PAGE, None),
        (200, DEEP, Code.INVALID_RESPONSE, None),
        (200, b"\xff", Code.REMOTE_REJECTED, None),
        (200, refusal(INVALID_USER, user="invalid"), Code.NOT_FOUND, "user: invalid"),
        (202, ACCEPTED, Code.UNEXPECTED_STATUS, None),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (400, refusal(INVALID_USER, user="invalid"), Code.NOT_FOUND, "user: invalid"),
        (400, refusal(INVALID_TOKEN, token="invalid"), Code.AUTH_FAILED, "token: invalid"),
        (
            400,
            refusal(INVALID_USER, INVALID_TOKEN, user="invalid", token="invalid"),
            Code.AUTH_FAILED,
            "token: invalid",
        ),
        (400, refusal(INVALID_TOKEN), Code.AUTH_FAILED, "token: invalid"),
        (400, refusal(INVALID_USER), Code.NOT_FOUND, "user: invalid"),
        (400, refusal("user key is invalid"), Code.NOT_FOUND, "user: invalid"),
        (400, refusal("message cannot be blank", message="cannot be blank"), Code.BAD_REQUEST, None),
        (400, refusal(user=["invalid"], token={"invalid": 1}), Code.BAD_REQUEST, None),
        (400, '{"errors": "application token is invalid"}', Code.BAD_REQUEST, None),
        (400, '{"errors": [1, null, {"user": "invalid"}]}', Code.BAD_REQUEST, None),
        (400, DEEP, Code.BAD_REQUEST, None),
        (400, "", Code.BAD_REQUEST, None),
        (401, "", Code.AUTH_FAILED, None),
        (403, "", Code.FORBIDDEN, None),
        (404, "", Code.NOT_FOUND, None),
        (405, "", Code.METHOD_NOT_ALLOWED, None),
        (413, "", Code.PAYLOAD_TOO_LARGE, None),
        (429, refusal("application has exceeded its limit"), Code.RATE_LIMITED, None),
        (429, "", Code.RATE_LIMITED, None),
        (500, refusal("internal error"), Code.REMOTE_ERROR, None),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
        (504, "", Code.GATEWAY_GAVE_UP, None),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_word(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    assert find_refusal(send, receiver, message) == (code, status, token)


def test_a_truncated_acceptance_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps({"info": "x" * 20_000, "status": 1}))
    assert may_have_arrived(send, receiver, message)


def wait_after(receiver: RecordingReceiver, message: Message, headers: Mapping[str, str], status: int = 429) -> float:
    """Return the seconds of the wait that a failure names, or `NONE`."""
    receiver.respond_with(status, refusal(), headers)
    failure = find_failure(send, receiver, message)
    return NONE if failure.retry_after is None else failure.retry_after


def in_days(days: float) -> str:
    return str(int((datetime.now(UTC) + timedelta(days=days)).timestamp()))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X-Limit-App-Remaining": "0", "X-Limit-App-Reset": in_days(2)}, 2 * DAY),
        ({"x-limit-app-reset": in_days(30.5)}, 30.5 * DAY),
        ({"X-Limit-App-Reset": in_days(90)}, 31 * DAY),
        ({"X-Limit-App-Reset": in_days(-1)}, 0),
        ({"X-Limit-App-Remaining": "7496", "X-Limit-App-Reset": in_days(2)}, NONE),
        ({"X-Limit-App-Reset": in_days(2), "Retry-After": "40"}, 40),
        ({"X-Limit-App-Reset": "tomorrow"}, NONE),
        ({"X-Limit-App-Reset": "99999999999"}, NONE),
        ({"X-Limit-App-Reset": "-5"}, NONE),
        ({"X-Limit-App-Reset": "\u0662"}, NONE),
        ({}, NONE),
    ],
)
def test_the_end_of_the_month_is_named_if_the_monthly_quota_is_used_up(
    headers: Mapping[str, str], seconds: float, receiver: RecordingReceiver, message: Message
) -> None:
    assert abs(wait_after(receiver, message, headers) - seconds) < DAY / 4


def test_the_quota_explains_no_other_failure(receiver: RecordingReceiver, message: Message) -> None:
    headers = {"X-Limit-App-Remaining": "0", "X-Limit-App-Reset": in_days(2)}
    assert wait_after(receiver, message, headers, status=503) == NONE


def test_the_request_carries_a_message_that_identifies_the_test(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, ACCEPTED)
    send(receiver, message)
    assert (receiver.request.path, receiver.request.content_type) == ("/1/messages.json", "application/json")
    assert receiver.json == {
        "token": APP_TOKEN,
        "user": USER_KEY,
        "title": "[TEST] Test alert from Acme GmbH",
        "message": (
            "Someone pressed Send test to check whether alerts arrive here. No action is needed.\n"
            "Workspace: Acme GmbH\n"
            "Destination: On-call\n"
            "Sent by: Support desk\n"
            "Sent at: 2026-11-03 08:35:06 UTC\n"
            "Reference: K7QM-4T"
        ),
        "priority": 0,
    }


@pytest.mark.parametrize("alert", [None, "Disk full"])
def test_no_message_repeats_until_somebody_confirms_it(
    alert: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, ACCEPTED)
    send(receiver, replace(message, alert=alert))
    assert receiver.json["priority"] == 0


def test_the_link_is_the_supplementary_url(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(200, ACCEPTED)
    send(receiver, message_with_link)
    assert (receiver.json["url"], receiver.json["url_title"]) == (LINK, "I see it")


@pytest.mark.parametrize(("length", "is_sent"), [(512, True), (513, False)])
def test_a_link_that_pushover_would_refuse_is_left_out(
    length: int, is_sent: bool, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, ACCEPTED)
    send(receiver, replace(message, receipt_link=LINK.ljust(length, "x")))
    assert ("url" in receiver.json, "url_title" in receiver.json) == (is_sent, is_sent)


@pytest.mark.parametrize("character", ["x", "ü", "🚢", "."])
@pytest.mark.parametrize("alert", [None, "🚢" * 1000])
def test_the_longest_names_fit_into_a_message(
    character: str, alert: str | None, receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, ACCEPTED)
    name = character * 1000
    send(receiver, replace(message_with_link, workspace=name, destination=name, requested_by=name, alert=alert))
    assert len(receiver.json["title"]) <= 250
    assert len(receiver.json["message"]) <= 1024
    assert "Reference: K7QM-4T" in receiver.json["message"]


@pytest.mark.parametrize("name", ["https://evil.example", "evil.example/x", "<a href='//evil.example'>x</a>"])
def test_a_name_does_not_become_a_link_or_markup(name: str, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, ACCEPTED)
    send(receiver, replace(message, workspace=name))
    assert "evil․example" in receiver.json["title"]
    assert "evil․example" in receiver.json["message"]
    assert "evil.example" not in receiver.json["title"] + receiver.json["message"]
    assert receiver.json.keys() & {"html", "monospace"} == set()


def test_a_preview_shows_no_key(message: Message) -> None:
    preview = CHANNEL.preview(settings(), message, OutboundClient())
    shown = json.loads(preview.parts[0].text)
    assert (shown["token"], shown["user"]) == ("(API token, not shown)", "(User key, not shown)")
    assert [key for key in (APP_TOKEN, USER_KEY) if key in repr(preview)] == []


@pytest.mark.parametrize("missing", FIELDS)
def test_without_one_of_its_settings_nothing_is_sent(
    missing: str, receiver: RecordingReceiver, message: Message
) -> None:
    incomplete = settings(receiver.url("").rstrip("/")) | {missing: " "}
    assert find_failure(CHANNEL.send, incomplete, message, receiver.outbound).code is Code.CONFIG_INCOMPLETE
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("app_token", f" {APP_TOKEN}\n", APP_TOKEN),
        ("user_key", USER_KEY, USER_KEY),
        ("server", "api.pushover.net", "https://api.pushover.net"),
        ("server", "https://API.pushover.net:443/", "https://api.pushover.net"),
    ],
)
def test_valid_settings_are_kept(field: str, typed: str, kept: str) -> None:
    assert check_setting(CHANNEL, FIELDS[field], typed, OutboundClient()) == kept


@pytest.mark.parametrize(
    ("field", "typed", "complaint"),
    [
        ("app_token", APP_TOKEN[:-1], "30 letters and digits. On pushover.net, choose the application"),
        ("app_token", f"{APP_TOKEN}x", "30 letters and digits"),
        ("app_token", f"https://api.pushover.net/1/messages.json?token={APP_TOKEN}", "30 letters and digits"),
        ("user_key", USER_KEY.replace("u", "ü"), "30 letters and digits. Sign in at pushover.net"),
        ("user_key", "ann@pomail.net", "30 letters and digits"),
        (
            "server",
            f"https://api.pushover.net/1/messages.json?user={USER_KEY}",
            "server only: https://api.pushover.net.",
        ),
        (
            "server",
            "https://pushover.net/apps",
            "pushover.net has pages of Pushover, but no webhook. Enter https://api",
        ),
        ("server", "https://api.pushover.net.evil.net", "not a host of Pushover"),
        ("server", "http://api.pushover.net", "Enter it with https://"),
    ],
)
def test_an_unusable_setting_is_refused_with_advice(field: str, typed: str, complaint: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        check_setting(CHANNEL, FIELDS[field], typed, OutboundClient())
    assert complaint in str(caught.value)
    assert [key for key in (APP_TOKEN, USER_KEY) if key in str(caught.value)] == []


def test_one_key_in_both_fields_is_a_mistake() -> None:
    assert list(CHANNEL.find_conflicts(settings() | {"app_token": USER_KEY})) == ["app_token"]
    assert CHANNEL.find_conflicts(settings()) == {}


def test_a_host_added_by_the_administrator_may_replace_pushover() -> None:
    outbound = OutboundClient(Policy(extra_hosts=MappingProxyType({"pushover": ("push.acme.com",)})))
    assert FIELDS["server"].check("push.acme.com", outbound) == "https://push.acme.com"


def test_each_user_is_one_target_whatever_the_application() -> None:
    def target(**changed: str) -> object:
        return CHANNEL.targets(settings() | changed, OutboundClient())

    assert target() == target(app_token="other") != target(user_key="other")
