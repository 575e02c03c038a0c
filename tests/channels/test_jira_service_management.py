"""Jira Service Management: the two requests of a test, and the meaning of their responses."""

import json
from dataclasses import replace
from urllib.parse import unquote

import pytest

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.pager_answers import Answer, answer_in_turn, bodies_of
from tests.channels.refusals import find_refusal, may_have_arrived
from webapp.channels.contract import Accepted
from webapp.channels.fields import SettingInvalid
from webapp.channels.jira_service_management import CHANNEL, MAX_MESSAGE, PATH, SERVER
from webapp.channels.message import Message
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient

KEY = "84be0ffd-5a08-4ae8-a2d9-eab6ab75a3ef"
SUCCESS = (202, json.dumps({"result": "Request will be processed", "took": 0.3, "requestId": "43a29c5c"}))

KEY_FIELD, SERVER_FIELD = CHANNEL.fields


def says(message: str) -> str:
    return json.dumps({"message": message, "took": 0.1, "requestId": "s3cr-tWord"})


def send(receiver: RecordingReceiver, message: Message, *answers: Answer) -> Accepted:
    answer_in_turn(receiver, answers)
    return CHANNEL.send({"api_key": KEY, "server": receiver.url("").rstrip("/")}, message, receiver.outbound)


def test_a_test_opens_an_alert_and_closes_it_by_its_alias(receiver: RecordingReceiver, message: Message) -> None:
    assert send(receiver, message, SUCCESS, SUCCESS) == Accepted(202)

    opening, closing = receiver.requests
    assert opening.path == PATH
    assert (closing.path, closing.query_string) == (f"{PATH}/{message.message_id}/close", b"identifierType=alias")
    assert bodies_of(receiver)[0]["alias"] == message.message_id
    assert {request.headers["Authorization"] for request in receiver.requests} == {f"GenieKey {KEY}"}


def test_the_alert_says_that_it_is_a_test(receiver: RecordingReceiver, message: Message, facts: dict[str, str]) -> None:
    send(receiver, message, SUCCESS, SUCCESS)
    assert bodies_of(receiver)[0] == {
        "message": "[TEST] K7QM-4T: test alert from Acme GmbH",
        "alias": "msg_2f9c",
        "description": message.explanation,
        "details": facts,
        "source": "Alertcheck",
        "tags": ["alertcheck", "test"],
        "priority": "P5",
    }


def test_the_link_is_in_the_description(receiver: RecordingReceiver, message_with_link: Message) -> None:
    send(receiver, message_with_link, SUCCESS, SUCCESS)
    assert bodies_of(receiver)[0]["description"].endswith(f"\n\nI see it: {LINK}")


def test_no_name_gets_into_the_description_which_may_have_markup(receiver: RecordingReceiver, message: Message) -> None:
    send(receiver, replace(message, workspace="<b>Acme</b>", destination="<i>x</i>"), SUCCESS, SUCCESS)
    assert "<" not in bodies_of(receiver)[0]["description"]


def test_no_name_becomes_a_link(receiver: RecordingReceiver, message: Message) -> None:
    name = "https://evil.example/x"
    send(receiver, replace(message, workspace=name, destination=name, requested_by=name), SUCCESS, SUCCESS)
    alert = json.dumps(bodies_of(receiver)[0], ensure_ascii=False)
    assert ("://" in alert, "evil.example" in alert, alert.count("evil")) == (False, False, 4)


@pytest.mark.parametrize("workspace", ["A" * 500, "\N{FIRE}" * 500, "ü" * 99])
def test_a_long_name_is_cut(workspace: str, receiver: RecordingReceiver, message: Message) -> None:
    send(receiver, replace(message, workspace=workspace), SUCCESS, SUCCESS)
    text = bodies_of(receiver)[0]["message"]
    assert len(text.encode("utf-16-le")) <= 2 * MAX_MESSAGE
    assert "K7QM-4T" in text


def test_an_alias_cannot_leave_its_part_of_the_path(receiver: RecordingReceiver, message: Message) -> None:
    send(receiver, replace(message, message_id="../a?b#c"), SUCCESS, SUCCESS)
    closing = receiver.requests[1]
    assert unquote(closing.environ["RAW_URI" if "RAW_URI" in closing.environ else "REQUEST_URI"]).endswith(
        "/alerts/../a?b#c/close?identifierType=alias"
    )
    assert closing.query_string == b"identifierType=alias"


def test_every_attempt_has_the_same_alias(receiver: RecordingReceiver, message: Message) -> None:
    with pytest.raises(DeliveryFailed):
        send(receiver, message, (503, ""))
    send(receiver, message, SUCCESS, SUCCESS)
    first, second, _ = bodies_of(receiver)
    assert first["alias"] == second["alias"]


def test_a_real_alert_stays_open(receiver: RecordingReceiver, message: Message) -> None:
    send(receiver, replace(message, alert="Disk full"), SUCCESS)
    (alert,) = bodies_of(receiver)
    assert (alert["priority"], alert["tags"]) == ("P1", ["alertcheck"])


@pytest.mark.parametrize(
    ("status", "body", "code", "token"),
    [
        (202, "", Code.INVALID_RESPONSE, None),
        (202, '{"result": "s3cr-tWord"}', Code.REMOTE_REJECTED, None),
        (202, '{"requestId": ""}', Code.REMOTE_REJECTED, None),
        (202, '{"requestId": 7}', Code.REMOTE_REJECTED, None),
        (202, "[" * 15_000, Code.INVALID_RESPONSE, None),
        (202, says("Could not authenticate"), Code.AUTH_FAILED, "Could not authenticate"),
        (200, says("s3cr-tWord"), Code.UNEXPECTED_STATUS, None),
        (200, "<html>s3cr-tWord</html>", Code.SIGN_IN_PAGE, None),
        (302, "", Code.SIGN_IN_PAGE, None),
        (308, "", Code.REDIRECT_REFUSED, None),
        (400, says("s3cr-tWord"), Code.BAD_REQUEST, None),
        (401, says("Could not authenticate"), Code.AUTH_FAILED, "Could not authenticate"),
        (401, "", Code.AUTH_FAILED, None),
        (403, says("s3cr-tWord"), Code.FORBIDDEN, None),
        (404, "", Code.NOT_FOUND, None),
        (422, says("Key format is not valid!"), Code.AUTH_FAILED, "Key format is not valid!"),
        (422, says("s3cr-tWord"), Code.BAD_REQUEST, None),
        (422, '{"message": ["Could not authenticate"]}', Code.BAD_REQUEST, None),
        (429, says("You are making too many requests!"), Code.RATE_LIMITED, "You are making too many requests!"),
        (429, b"\xff\xfe", Code.RATE_LIMITED, None),
        (500, "s3cr-tWord", Code.REMOTE_ERROR, None),
        (502, "", Code.GATEWAY_GAVE_UP, None),
        (503, "", Code.REMOTE_UNAVAILABLE, None),
    ],
)
def test_any_other_response_is_classified_and_nothing_is_closed(
    status: int, body: bytes | str, code: Code, token: str | None, receiver: RecordingReceiver, message: Message
) -> None:
    assert find_refusal(send, receiver, message, (status, body)) == (code, status, token)
    assert len(receiver.requests) == 1


def test_a_truncated_acceptance_may_have_arrived(receiver: RecordingReceiver, message: Message) -> None:
    assert may_have_arrived(send, receiver, message, (202, " " * 20_000 + SUCCESS[1]))


@pytest.mark.parametrize("answer", [(404, says("s3cr-tWord")), (429, ""), (500, "s3cr-tWord"), (202, "s3cr-tWord")])
def test_an_alert_that_cannot_be_closed_is_a_warning_and_pages_nobody_again(
    answer: Answer, receiver: RecordingReceiver, message: Message
) -> None:
    accepted = send(receiver, message, SUCCESS, answer)
    assert accepted.status == 202
    assert accepted.warning is not None
    assert accepted.warning.startswith("The alert may still be open: close it in Jira Service Management. 127.0.0.1")
    assert "s3cr-tWord" not in accepted.warning
    assert [request.path for request in receiver.requests] == [PATH, f"{PATH}/{message.message_id}/close"]


@pytest.mark.parametrize("typed", [KEY, f" {KEY}\n", f"GenieKey {KEY}", f"`{KEY}`", f"\ufeff{KEY}"])
def test_a_key_is_kept(typed: str) -> None:
    assert KEY_FIELD.check(typed, OutboundClient()) == KEY


@pytest.mark.parametrize(
    "typed", [KEY[:10], f"{KEY}\r\nX-A: b", f"{KEY} {KEY}", KEY.replace("8", "ß"), "ü" * 36, SERVER]
)
def test_anything_else_is_no_key(typed: str) -> None:
    with pytest.raises(SettingInvalid, match="letters, digits and hyphens") as caught:
        KEY_FIELD.check(typed, OutboundClient())
    assert typed not in str(caught.value)


@pytest.mark.parametrize("typed", [SERVER, "api.atlassian.com", f"{SERVER}/"])
def test_the_server_is_stored_without_a_path(typed: str) -> None:
    assert SERVER_FIELD.check(typed, OutboundClient()) == SERVER


@pytest.mark.parametrize(
    ("typed", "advice"),
    [
        ("https://acme.atlassian.net", f"Enter {SERVER}"),
        (f"{SERVER}/jsm/ops/api", f"Enter the server only: {SERVER}"),
        ("https://api.atlassian.com.evil.net", "not a host of Jira Service Management"),
        (f"https://{KEY}@api.atlassian.com", "its own field"),
    ],
)
def test_another_server_is_refused_with_advice(typed: str, advice: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        SERVER_FIELD.check(typed, OutboundClient())
    assert advice in str(caught.value)
    assert KEY not in str(caught.value)


def test_each_key_has_a_limit_of_its_own() -> None:
    def targets(key: str) -> object:
        return CHANNEL.targets({"api_key": key, "server": SERVER}, OutboundClient())

    assert targets(KEY) == targets(KEY) != targets(KEY[::-1])
