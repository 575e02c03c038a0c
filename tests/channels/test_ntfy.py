"""ntfy: the request to a server, and the meaning of its responses."""

import base64
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure, find_refusal, may_have_arrived
from webapp.channels import check_setting
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.ntfy import CHANNEL, PRIORITY
from webapp.failures import Code
from webapp.outbound import OutboundClient, Policy
from webapp.outbound.policy.urls import Origin

TOPIC, TOKEN = "s3cr-t_Topic", "tk_7eevizlsiwf9yi4uxsrs83r4352o0"
PUBLISHED = json.dumps({"id": "xE73Iyuabi", "time": 1673542291, "event": "message", "topic": TOPIC})

FIELDS = {field.name: field for field in CHANNEL.fields}


def send(receiver: RecordingReceiver, message: Message, **settings: str) -> Accepted:
    server = receiver.url("").rstrip("/")
    return CHANNEL.send({"topic": TOPIC, "server": server, **settings}, message, receiver.outbound)


def error(code: object, status: int) -> str:
    """The body of a failure as ntfy sends it, with a text that repeats the secret."""
    return json.dumps({"code": code, "http": status, "error": f"no topic {TOPIC}", "link": "https://ntfy.sh/docs"})


@pytest.mark.parametrize("body", [PUBLISHED, f"{PUBLISHED}\n", '{"id": "a"}'])
def test_200_and_an_id_mean_that_the_server_accepted_the_message(
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
        (200, '{"id": ""}', Code.REMOTE_REJECTED, None),
        (200, '{"id": 12345678}', Code.REMOTE_REJECTED, None),
        (200, '[{"id": "a"}]', Code.REMOTE_REJECTED, None),
        (200, f"<html>{TOPIC}</html>", Code.SIGN_IN_PAGE, None),
        (200, DEEP, Code.INVALID_RESPONSE, None),
        (200, b"\xff", Code.REMOTE_REJECTED, None),
        (200, error(40301, 403), Code.FORBIDDEN, "40301 forbidden"),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (301, "", Code.REDIRECT_REFUSED, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (400, error(40009, 400), Code.BAD_REQUEST, "40009 invalid topic"),
        (400, error(40010, 400), Code.BAD_REQUEST, "40010 topic not allowed"),
        (400, error(40014, 400), Code.PAYLOAD_TOO_LARGE, "40014 attachments not allowed"),
        (400, error(40099, 400), Code.BAD_REQUEST, None),
        (400, error("40009", 400), Code.BAD_REQUEST, None),
        (400, error([40009], 400), Code.BAD_REQUEST, None),
        (400, error(True, 400), Code.BAD_REQUEST, None),
        (400, error(1e999, 400), Code.BAD_REQUEST, None),
        (400, DEEP, Code.BAD_REQUEST, None),
        (401, error(40101, 401), Code.AUTH_FAILED, "40101 unauthorized"),
        (401, "", Code.AUTH_FAILED, None),
        (403, error(40301, 403), Code.FORBIDDEN, "40301 forbidden"),
        (403, f"<html>{TOPIC}</html>", Code.FORBIDDEN, None),
        (404, error(40401, 404), Code.NOT_FOUND, "40401 page not found"),
        (405, "", Code.METHOD_NOT_ALLOWED, None),
        (413, error(41301, 413), Code.PAYLOAD_TOO_LARGE, None),
        (413, error(41303, 413), Code.PAYLOAD_TOO_LARGE, "41303 JSON too large"),
        (429, error(42901, 429), Code.RATE_LIMITED, "42901 too many requests"),
        (429, error(42908, 429), Code.RATE_LIMITED, "42908 daily message quota reached"),
        (429, "", Code.RATE_LIMITED, None),
        (500, error(50001, 500), Code.REMOTE_ERROR, None),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
        (507, error(50701, 507), Code.REMOTE_UNAVAILABLE, "50701 UnifiedPush topic without a subscriber"),
        (507, error(50799, 507), Code.REMOTE_UNAVAILABLE, "507 insufficient storage"),
        (507, "", Code.REMOTE_UNAVAILABLE, "507 insufficient storage"),
    ],
)
def test_any_other_response_is_classified_by_status_and_known_number(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, body)
    assert find_refusal(send, receiver, message) == (code, status, token)


def test_a_truncated_acceptance_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, json.dumps({"message": "x" * 20_000, "id": "xE73Iyuabi"}))
    assert may_have_arrived(send, receiver, message)


@pytest.mark.parametrize(
    ("number", "is_retried"), [(42901, True), (42909, True), (42908, False), (42905, False), (42904, False)]
)
def test_what_lasts_until_tomorrow_is_not_tried_again_today(
    number: int, is_retried: bool, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(429, error(number, 429), {"Retry-After": "30"})
    failure = find_failure(send, receiver, message)
    assert (failure.may_retry, failure.retry_after) == (is_retried, 30)


def test_the_next_step_after_a_daily_quota_names_the_time_at_which_it_begins_anew() -> None:
    assert "midnight UTC" in CHANNEL.hints[Code.RATE_LIMITED]


def test_the_json_goes_to_the_root_of_the_server_and_identifies_the_test(
    receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, PUBLISHED)
    send(receiver, message)
    assert (receiver.request.path, receiver.request.content_type) == ("/", "application/json")
    assert "Authorization" not in receiver.request.headers
    assert receiver.json == {
        "topic": TOPIC,
        "title": "[TEST] Test alert from Acme GmbH",
        "message": (
            "Someone pressed Send test to check whether alerts arrive here. No action is needed.\n"
            "Workspace: Acme GmbH\n"
            "Destination: On-call\n"
            "Sent by: Support desk\n"
            "Sent at: 2026-11-03 08:35:06 UTC\n"
            "Reference: K7QM-4T"
        ),
        "priority": 3,
        "tags": ["test_tube"],
    }


def test_a_test_never_has_the_priority_that_rings_on_a_silent_phone() -> None:
    assert PRIORITY < 5


def test_a_real_alert_is_marked_as_one(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, PUBLISHED)
    send(receiver, replace(message, alert="Disk full"))
    assert (receiver.json["title"], receiver.json["tags"]) == ("Disk full (Acme GmbH)", ["warning"])


def test_the_link_is_a_button(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(200, PUBLISHED)
    send(receiver, message_with_link)
    assert receiver.json["actions"] == [{"action": "view", "label": "I see it", "url": LINK}]
    assert LINK not in receiver.json["message"]


@pytest.mark.parametrize(
    ("settings", "header"),
    [
        ({"token": TOKEN}, f"Bearer {TOKEN}"),
        ({"token": "", "user": "phil", "password": "mü:s"}, f"Basic {base64.b64encode('phil:mü:s'.encode()).decode()}"),
    ],
)
def test_the_credentials_go_into_the_header(
    settings: Mapping[str, str], header: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, PUBLISHED)
    send(receiver, message, **settings)
    assert receiver.request.headers["Authorization"] == header


@pytest.mark.parametrize("settings", [{"user": "phil"}, {"password": "x"}, {"topic": ""}, {"server": ""}])
def test_half_the_settings_send_nothing(
    settings: Mapping[str, str], receiver: RecordingReceiver, message: Message
) -> None:
    assert find_failure(send, receiver, message, **settings).code is Code.CONFIG_INCOMPLETE
    assert receiver.requests == []


@pytest.mark.parametrize("settings", [{"token": TOKEN}, {"user": "phil", "password": "s3cr-t_Word"}])
def test_a_preview_shows_neither_the_topic_nor_the_credentials(settings: Mapping[str, str], message: Message) -> None:
    preview = CHANNEL.preview({"topic": TOPIC, "server": "https://ntfy.sh", **settings}, message, OutboundClient())
    assert json.loads(preview.parts[0].text)["topic"] == "(Topic, not shown)"
    assert "(" in preview.headers["Authorization"]
    assert [secret for secret in (TOPIC, TOKEN, "s3cr-t_Word", "cGhpbD") if secret in repr(preview)] == []


@pytest.mark.parametrize("character", ["x", "🚢", '"', "."])
@pytest.mark.parametrize("alert", [None, "ü" * 1000])
def test_the_longest_names_fit_into_a_message(
    character: str, alert: str | None, receiver: RecordingReceiver, message_with_link: Message
) -> None:
    receiver.respond_with(200, PUBLISHED)
    name = character * 1000
    send(receiver, replace(message_with_link, workspace=name, destination=name, requested_by=name, alert=alert))
    assert len(receiver.json["message"].encode()) <= 4096
    assert len(receiver.json["title"].encode()) <= 250
    assert len(receiver.request.get_data()) <= 8192
    assert "Reference: K7QM-4T" in receiver.json["message"]


@pytest.mark.parametrize("name", ["https://evil.example", "evil.example/x", "bob@evil.example"])
def test_a_name_does_not_become_a_link(name: str, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200, PUBLISHED)
    send(receiver, replace(message, workspace=name))
    assert "evil․example" in receiver.json["title"]
    assert "evil․example" in receiver.json["message"]
    assert "evil.example" not in receiver.request.get_data(as_text=True)
    assert "markdown" not in receiver.json


@pytest.mark.parametrize(
    ("field", "typed", "kept"),
    [
        ("topic", "alerts", "alerts"),
        ("topic", " `My-Topic_1` \n", "My-Topic_1"),
        ("topic", "t" * 64, "t" * 64),
        ("token", f" {TOKEN}\n", TOKEN),
        ("user", "phil+ops@acme.com", "phil+ops@acme.com"),
        ("password", "Ein Satz, mit Leerzeichen: ü", "Ein Satz, mit Leerzeichen: ü"),
        ("server", "ntfy.sh", "https://ntfy.sh"),
        ("server", "https://ntfy.acme.com/", "https://ntfy.acme.com"),
    ],
)
def test_valid_settings_are_kept(field: str, typed: str, kept: str) -> None:
    assert check_setting(CHANNEL, FIELDS[field], typed, OutboundClient()) == kept


@pytest.mark.parametrize(
    ("field", "typed", "complaint"),
    [
        (
            "topic",
            f"https://ntfy.sh/{TOPIC}",
            "Enter only what follows https://ntfy.sh/ in this address, and https://ntf",
        ),
        ("topic", f"ntfy.acme.com/{TOPIC}/json", "follows https://ntfy.acme.com/ in this address"),
        ("topic", f"http://10.0.0.1:8080/{TOPIC}", "and http://10.0.0.1:8080 as the server below"),
        ("topic", f"/{TOPIC}", "at most 64 letters"),
        ("topic", f"{TOPIC},other", "Enter one topic only"),
        ("topic", f"{TOPIC} other", "at most 64 letters"),
        ("topic", f"{TOPIC}.", "at most 64 letters"),
        ("topic", TOPIC + "t" * 53, "at most 64 letters"),
        ("topic", "ünsere-alerts", "at most 64 letters"),
        ("token", "s3cr-t_Topic", "begins with tk_"),
        ("token", f"Bearer {TOKEN}", "begins with tk_"),
        ("user", "phil:s3cr-t_Topic", "only letters, digits"),
        ("password", "a\x00b", "nobody can type"),
        ("server", f"https://ntfy.sh/{TOPIC}", "Enter the server only: https://ntfy.sh."),
        ("server", "http://ntfy.acme.com", "begins with http://"),
        ("server", "https://192.168.1.5", "not on the public internet"),
        ("server", f"https://phil:{TOPIC}@ntfy.acme.com", "have their own fields"),
        ("server", "https://hooks.slack.com/services/T/B/x", "hooks.slack.com is a host of Slack"),
    ],
)
def test_an_unusable_setting_is_refused_with_advice(field: str, typed: str, complaint: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        check_setting(CHANNEL, FIELDS[field], typed, OutboundClient())
    assert complaint in str(caught.value)
    assert [secret for secret in (TOPIC, TOKEN) if secret in str(caught.value)] == []


@pytest.mark.parametrize(
    ("settings", "field"),
    [
        ({}, None),
        ({"token": TOKEN}, None),
        ({"user": "phil", "password": "x"}, None),
        ({"token": TOKEN, "user": "phil", "password": "x"}, "token"),
        ({"token": TOKEN, "user": "phil"}, "token"),
        ({"token": TOKEN, "password": "x"}, "token"),
        ({"user": "phil"}, "password"),
        ({"password": "x"}, "user"),
    ],
)
def test_a_token_or_a_user_with_a_password(settings: Mapping[str, str], field: str | None) -> None:
    blank = dict.fromkeys(FIELDS, "")
    assert list(CHANNEL.find_conflicts({**blank, **settings})) == ([] if field is None else [field])


def test_a_server_that_the_administrator_trusts_may_be_private_and_have_a_path() -> None:
    trusted = OutboundClient(Policy(trusted_origins=frozenset({Origin("http", "192.168.1.5", 8080)})))
    assert FIELDS["server"].check("http://192.168.1.5:8080/ntfy/", trusted) == "http://192.168.1.5:8080/ntfy"


def test_a_topic_of_one_server_is_one_target() -> None:
    def target(topic: str, server: str = "https://ntfy.sh", token: str = "") -> object:
        return CHANNEL.targets({"topic": topic, "server": server, "token": token}, OutboundClient())

    assert target("a") == target("a", "https://ntfy.sh/") == target("a", token=TOKEN)
    assert target("a") != target("b")
    assert target("a") != target("a", "https://ntfy.acme.com")
