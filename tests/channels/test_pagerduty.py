"""PagerDuty: the two events of a test, and the meaning of their responses."""

import json
from dataclasses import replace

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.pager_answers import Answer, answer_in_turn, bodies_of
from tests.channels.refusals import find_refusal, may_have_arrived
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.pagerduty import CHANNEL, KEY_LENGTH, MAX_SUMMARY, SERVER
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient

KEY = "s3cr3tk3y0123456789abcdefghijklm"
SUCCESS = (202, json.dumps({"status": "success", "message": "Event processed", "dedup_key": "x"}))

KEY_FIELD, SERVER_FIELD = CHANNEL.fields


def says(status: str, *errors: str) -> str:
    return json.dumps({"status": status, "message": "s3cr-tWord", "errors": errors})


def send(receiver: RecordingReceiver, message: Message, *answers: Answer) -> Accepted:
    answer_in_turn(receiver, answers)
    return CHANNEL.send({"routing_key": KEY, "server": receiver.url("").rstrip("/")}, message, receiver.outbound)


def test_a_test_opens_an_incident_and_resolves_it_with_the_same_key(
    receiver: RecordingReceiver, message: Message
) -> None:
    assert send(receiver, message, SUCCESS, SUCCESS) == Accepted(202)

    trigger, resolve = bodies_of(receiver)
    assert [request.path for request in receiver.requests] == ["/v2/enqueue"] * 2
    assert (trigger["event_action"], resolve["event_action"]) == ("trigger", "resolve")
    assert trigger["dedup_key"] == resolve["dedup_key"] == message.message_id
    assert trigger["routing_key"] == resolve["routing_key"] == KEY


def test_the_incident_says_that_it_is_a_test(
    receiver: RecordingReceiver, message: Message, facts: dict[str, str]
) -> None:
    send(receiver, message, SUCCESS, SUCCESS)
    payload = bodies_of(receiver)[0]["payload"]
    assert payload["summary"] == "[TEST] K7QM-4T: test alert from Acme GmbH"
    assert (payload["severity"], payload["source"]) == ("info", "Alertcheck")
    assert payload["custom_details"] == {"Why": message.explanation, **facts}
    assert "links" not in bodies_of(receiver)[0]


def test_the_link_is_one_of_the_incident(receiver: RecordingReceiver, message_with_link: Message) -> None:
    send(receiver, message_with_link, SUCCESS, SUCCESS)
    assert bodies_of(receiver)[0]["links"] == [{"href": LINK, "text": "I see it"}]
    assert "links" not in bodies_of(receiver)[1]


def test_every_attempt_has_the_same_key(receiver: RecordingReceiver, message: Message) -> None:
    with pytest.raises(DeliveryFailed):
        send(receiver, message, (429, ""))
    send(receiver, message, SUCCESS, SUCCESS)
    assert len({body["dedup_key"] for body in bodies_of(receiver)}) == 1


def test_a_real_alert_stays_open(receiver: RecordingReceiver, message: Message) -> None:
    send(receiver, replace(message, alert="Disk full"), SUCCESS)
    (trigger,) = bodies_of(receiver)
    assert (trigger["event_action"], trigger["payload"]["severity"]) == ("trigger", "critical")


def test_a_long_name_is_cut(receiver: RecordingReceiver, message: Message) -> None:
    send(receiver, replace(message, workspace="\N{FIRE}" * 5000), SUCCESS, SUCCESS)
    assert len(bodies_of(receiver)[0]["payload"]["summary"]) <= MAX_SUMMARY


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (202, "", Code.INVALID_RESPONSE, None),
        (202, "{}", Code.REMOTE_REJECTED, None),
        (202, "success", Code.REMOTE_REJECTED, None),
        (202, '["success"]', Code.REMOTE_REJECTED, None),
        (202, "[" * 15_000, Code.INVALID_RESPONSE, None),
        (202, '{"status": "s3cr-tWord"}', Code.REMOTE_REJECTED, None),
        (202, '{"status": {"success": true}}', Code.REMOTE_REJECTED, None),
        (202, says("invalid event", "s3cr-tWord"), Code.BAD_REQUEST, "invalid event"),
        (200, says("success"), Code.UNEXPECTED_STATUS, None),
        (200, "<html>s3cr-tWord</html>", Code.SIGN_IN_PAGE, None),
        (204, "", Code.UNEXPECTED_STATUS, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (308, "", Code.REDIRECT_REFUSED, None),
        (400, says("invalid event", "s3cr-tWord"), Code.BAD_REQUEST, "invalid event"),
        (400, says("invalid event", "Invalid routing key"), Code.AUTH_FAILED, "Invalid routing key"),
        (400, '{"status": "invalid event", "errors": "Invalid routing key"}', Code.BAD_REQUEST, "invalid event"),
        (400, '{"status": "invalid event", "errors": [{"a": 1}, null]}', Code.BAD_REQUEST, "invalid event"),
        (400, "<html>s3cr-tWord</html>", Code.BAD_REQUEST, None),
        (400, b"\xff\xfe", Code.BAD_REQUEST, None),
        (401, "", Code.AUTH_FAILED, None),
        (403, "", Code.FORBIDDEN, None),
        (404, "", Code.NOT_FOUND, None),
        (413, "", Code.PAYLOAD_TOO_LARGE, None),
        (429, says("throttle exceeded"), Code.RATE_LIMITED, "throttle exceeded"),
        (429, "", Code.RATE_LIMITED, None),
        (500, "s3cr-tWord", Code.REMOTE_ERROR, None),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
    ],
)
def test_any_other_response_is_classified_and_nothing_is_resolved(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    assert find_refusal(send, receiver, message, (status, body)) == (code, status, token)
    assert len(receiver.requests) == 1


def test_a_truncated_acceptance_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    assert may_have_arrived(send, receiver, message, (202, " " * 20_000 + says("success")))


@pytest.mark.parametrize("answer", [(400, says("invalid event")), (429, ""), (500, "s3cr-tWord"), (202, "s3cr-tWord")])
def test_an_incident_that_cannot_be_resolved_is_a_warning_and_pages_nobody_again(
    answer: Answer, receiver: RecordingReceiver, message: Message
) -> None:
    accepted = send(receiver, message, SUCCESS, answer)
    assert accepted.status == 202
    assert accepted.warning is not None
    assert accepted.warning.startswith("The incident may still be open: resolve it in PagerDuty. 127.0.0.1")
    assert "s3cr-tWord" not in accepted.warning
    assert [body["event_action"] for body in bodies_of(receiver)] == ["trigger", "resolve"]


@pytest.mark.parametrize("typed", [KEY, f" {KEY}\n", f'"{KEY}"', f"\u200b{KEY}", "R0212P1QXGEIQE2NMTQ7L7WXD00DWHIN"])
def test_a_key_is_kept_as_pagerduty_shows_it(typed: str) -> None:
    assert KEY_FIELD.check(typed, OutboundClient()) in (KEY, "R0212P1QXGEIQE2NMTQ7L7WXD00DWHIN")


@pytest.mark.parametrize(
    "typed",
    [KEY[1:], f"{KEY}0", KEY.replace("s", "-"), KEY.replace("s", "ß"), f"{SERVER}/v2/enqueue", "ü" * KEY_LENGTH],
)
def test_anything_else_is_no_key(typed: str) -> None:
    with pytest.raises(SettingInvalid, match="32 letters and digits") as caught:
        KEY_FIELD.check(typed, OutboundClient())
    assert typed not in str(caught.value)


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (SERVER, SERVER),
        ("events.eu.pagerduty.com", "https://events.eu.pagerduty.com"),
        (f"{SERVER}/", SERVER),
    ],
)
def test_both_servers_are_accepted(typed: str, stored: str) -> None:
    assert SERVER_FIELD.check(typed, OutboundClient()) == stored


def test_a_trusted_origin_may_replace_pagerduty(receiver: RecordingReceiver) -> None:
    typed = receiver.url("/pagerduty/works")
    assert SERVER_FIELD.check(typed, receiver.outbound) == typed


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("https://acme.pagerduty.com", f"Enter {SERVER}"),
        (f"{SERVER}/integration/{KEY}/enqueue", f"Enter the server only: {SERVER}"),
        (f"{SERVER}/v2/enqueue?x=1", f"Enter the server only: {SERVER}"),
        ("https://events.pagerduty.com.evil.net", "not a host of PagerDuty"),
        ("http://events.pagerduty.com", "https://"),
        (f"https://{KEY}@events.pagerduty.com", "its own field"),
    ],
)
def test_another_server_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        SERVER_FIELD.check(typed, OutboundClient())
    assert advice in str(caught.value)
    assert KEY not in str(caught.value)


def test_each_key_has_a_limit_of_its_own() -> None:
    def targets(key: str) -> object:
        return CHANNEL.targets({"routing_key": key, "server": SERVER}, OutboundClient())

    assert targets(KEY) == targets(KEY) != targets(KEY[::-1])


def test_no_name_becomes_a_link(receiver: RecordingReceiver, message: Message) -> None:
    name = "https://evil.example/x"
    send(receiver, replace(message, workspace=name, destination=name, requested_by=name), SUCCESS, SUCCESS)
    payload = json.dumps(bodies_of(receiver)[0]["payload"], ensure_ascii=False)
    assert ("://" in payload, "evil.example" in payload, payload.count("evil")) == (False, False, 4)
