"""The receiver's HTTP server, over a socket."""

import socket
import time

import pytest
import requests

from tests.demo.receiver.test_signature import BODY, signed
from tests.demo.receiver_process import Receiver
from webapp.demo.receiver.http_server import LARGEST_BODY
from webapp.demo.receiver.refusals import NEW_CHAT_ID
from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.demo.receiver.switches import name_path


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("/teams/works", 202, ""),
        ("/webhook/works", 200, ""),
        ("/slack/works", 200, "ok"),
        ("/teams/missing", 404, ""),
        ("/slack/denied", 401, ""),
    ],
)
def test_the_path_selects_the_response(receiver: Receiver, path: str, status: int, text: str) -> None:
    response = receiver.post(path)
    assert (response.status_code, response.text) == (status, text)


def test_an_accepted_message_is_in_the_inbox_before_the_response(receiver: Receiver) -> None:
    receiver.post("/slack/works", '{"text": "Reference: AC-1234"}')
    (kept,) = receiver.inbox.find_by_reference("AC-1234")
    assert (kept.service, kept.scenario, kept.accepted, kept.answered) == (Service.SLACK, "works", True, 200)


def test_a_refused_message_is_stored_with_its_response(receiver: Receiver) -> None:
    receiver.post("/teams/missing", "{}")
    (kept,) = receiver.inbox.list_newest()
    assert (kept.accepted, kept.answered, kept.body) == (False, 404, "{}")


def test_a_busy_receiver_accepts_the_third_attempt_of_each_message(receiver: Receiver) -> None:
    ids = ["a", "a", "b", "a", "b", "b"]
    statuses = [receiver.post("/webhook/busy-twice", webhook_id=message).status_code for message in ids]
    assert statuses == [503, 503, 503, 200, 503, 200]


def test_a_busy_receiver_identifies_a_message_by_its_reference(receiver: Receiver) -> None:
    bodies = [f'{{"text": "Reference: AC-1234", "attempt": {attempt}}}' for attempt in (1, 2, 3)]
    assert [receiver.post("/teams/busy-twice", body).status_code for body in bodies] == [503, 503, 202]


def test_a_busy_receiver_sends_retry_after(receiver: Receiver) -> None:
    assert receiver.post("/teams/busy-twice", "not tried before").headers["Retry-After"] == "2"


@pytest.mark.parametrize(
    ("path", "status", "location", "media_type"),
    [
        ("/webhook/moved", 308, "works", "text/plain; charset=utf-8"),
        ("/webhook/sign-in", 302, "/sign-in", "text/html; charset=utf-8"),
        ("/webhook/web-page", 200, None, "text/html; charset=utf-8"),
        ("/teams/turned-off", 400, None, "application/json; charset=utf-8"),
    ],
)
def test_a_response_has_the_headers_of_its_scenario(
    receiver: Receiver, path: str, status: int, location: str | None, media_type: str
) -> None:
    response = receiver.post(path)
    headers = response.headers
    assert (response.status_code, headers.get("Location"), headers["Content-Type"]) == (status, location, media_type)


def test_a_switched_address_responds_as_it_was_switched_until_it_is_reset(receiver: Receiver) -> None:
    place = name_path("/teams/works?sig=one")
    receiver.inbox.switches.set(place, Scenario.MISSING)
    assert receiver.post("/teams/works?sig=one").status_code == 404
    assert receiver.post("/teams/works?sig=two").status_code == 202
    receiver.inbox.switches.reset(place)
    assert receiver.post("/teams/works?sig=one").status_code == 202
    assert [kept.scenario for kept in receiver.inbox.list_newest()] == ["works", "works", "missing"]


def test_a_slow_receiver_shows_the_message_before_it_responds(receiver: Receiver) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"http://127.0.0.1:{receiver.http_port}/slack/slow", data="{}", timeout=0.5)
    assert len(receiver.inbox.list_newest()) == 1


def test_a_slow_receiver_takes_two_seconds(receiver: Receiver) -> None:
    started = time.monotonic()
    assert receiver.post("/slack/slow").text == "ok"
    assert 2 <= time.monotonic() - started < 8


def test_a_silent_receiver_never_responds(receiver: Receiver) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"http://127.0.0.1:{receiver.http_port}/webhook/silent", data="{}", timeout=1)


def test_a_silent_receiver_stores_the_message_as_unanswered(receiver: Receiver) -> None:
    with pytest.raises(requests.ReadTimeout):
        requests.post(f"http://127.0.0.1:{receiver.http_port}/webhook/silent", data="{}", timeout=1)
    assert [(kept.answered, kept.accepted) for kept in receiver.inbox.list_newest()] == [(0, False)]


def test_a_webhook_is_stored_with_its_own_headers_and_the_names_of_others(receiver: Receiver) -> None:
    headers = {"webhook_id": "msg_1", "content_type": "application/json", "authorization": "Bearer canary"}
    receiver.post("/webhook/works", **headers)
    assert receiver.inbox.list_newest()[0].headers == {
        "webhook-id": "msg_1",
        "content-type": "application/json",
        "authorization": "(received, not shown)",
        "accept": "(received, not shown)",
    }


def test_a_webhook_may_be_put_and_its_method_is_stored(receiver: Receiver) -> None:
    url = f"http://127.0.0.1:{receiver.http_port}/webhook/works"
    answers = [requests.put(url, data="{}", timeout=60), requests.post(url, data="{}", timeout=60)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert [kept.method for kept in receiver.inbox.list_newest()] == ["POST", "PUT"]


def test_a_signed_webhook_is_checked_with_the_shared_secret(receiver: Receiver) -> None:
    receiver.post("/webhook/works", BODY, **signed())
    assert receiver.inbox.list_newest()[0].signature_ok is True


def test_an_unsigned_webhook_is_neither_valid_nor_invalid(receiver: Receiver) -> None:
    receiver.post("/webhook/works", BODY)
    assert receiver.inbox.list_newest()[0].signature_ok is None


def test_no_other_service_is_checked_for_a_signature(receiver: Receiver) -> None:
    receiver.post("/teams/works", BODY)
    assert receiver.inbox.list_newest()[0].signature_ok is None


CALLS = {
    "/discord/works/api/webhooks/1/a?wait=true": (200, '"id"'),
    "/discord/works?sig=a&wait=true": (200, '"id"'),
    "/telegram/works/bot1%3AA/sendMessage": (200, '"ok": true'),
    "/pagerduty/works/v2/enqueue": (202, '"status": "success"'),
    "/google_chat/works/v1/spaces/a/messages?key=a&token=b": (200, '"name"'),
    "/mattermost/works/hooks/a": (200, "ok"),
    "/ntfy/works": (200, '"id"'),
    "/ntfy/works/": (200, '"id"'),
    "/pushover/works/1/messages.json": (200, '"status": 1'),
    "/jira_service_management/works/jsm/ops/integration/v2/alerts": (202, '"result"'),
    "/jira_service_management/works/jsm/ops/integration/v2/alerts/k/close?identifierType=alias": (202, '"result"'),
    "/telegram/moved/bot1/sendMessage": (400, f'"migrate_to_chat_id": {NEW_CHAT_ID}'),
    "/telegram/missing/bot1/sendMessage": (404, '"error_code": 404'),
    "/telegram/works/bot1/sendPhoto": (404, '"error_code": 404'),
    "/ntfy/works/topic": (404, '"code": 40401'),
    "/pushover/denied/1/messages.json": (401, '"status": 0'),
    "/google_chat/later?token=a": (429, "RESOURCE_EXHAUSTED"),
    "/discord/busy-twice": (503, '"code": 0'),
    "/mattermost/turned-off": (501, "web.incoming_webhook.disabled.app_error"),
    "/pagerduty/stays-open/v2/enqueue": (202, "success"),
}


@pytest.mark.parametrize("path", list(CALLS))
def test_each_service_is_called_and_answers_as_it_does_itself(receiver: Receiver, path: str) -> None:
    response = receiver.post(path)
    status, word = CALLS[path]
    assert (response.status_code, word in response.text) == (status, True)


def test_a_message_to_another_path_of_a_service_is_not_stored(receiver: Receiver) -> None:
    receiver.post("/telegram/works/bot1/sendPhoto")
    assert receiver.inbox.list_newest() == []


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/pagerduty/works/v2/enqueue", '{"routing_key": "CANARY", "event_action": "trigger"}'),
        ("/pagerduty/works/v2/enqueue", "routing_key=CANARY"),
        ("/pushover/works/1/messages.json", '{"token": "CANARY", "user": "CANARY", "message": "Hello"}'),
        ("/ntfy/works", '{"topic": "CANARY", "message": "Hello"}'),
        ("/telegram/works/bot1%3ACANARY/sendMessage", '{"text": "Hello"}'),
        ("/discord/works/api/webhooks/1/CANARY?wait=true", '{"content": "Hello"}'),
        ("/google_chat/works?key=CANARY&token=CANARY", '{"text": "Hello"}'),
    ],
)
def test_no_secret_is_stored(receiver: Receiver, path: str, body: str) -> None:
    receiver.post(path, body, authorization="Bearer CANARY")
    assert len(receiver.inbox.list_newest()) == 1
    files = receiver.inbox_file.parent.glob("inbox.sqlite*")
    assert [file.name for file in files if b"CANARY" in file.read_bytes()] == []


def test_a_group_that_has_moved_accepts_messages_to_its_new_id(receiver: Receiver) -> None:
    bodies = [f'{{"chat_id": {chat_id}, "text": "a"}}' for chat_id in ("-1", NEW_CHAT_ID, f'"{NEW_CHAT_ID}"')]
    path = "/telegram/moved/bot1/sendMessage"
    assert [receiver.post(path, body).status_code for body in bodies] == [400, 200, 200]


def test_a_busy_service_does_not_count_from_the_start_to_close_an_alert(receiver: Receiver) -> None:
    actions = ["trigger", "trigger", "trigger", "resolve"]
    bodies = [f'{{"event_action": "{action}", "dedup_key": "k"}}' for action in actions]
    statuses = [receiver.post("/pagerduty/busy-twice/v2/enqueue", body).status_code for body in bodies]
    assert statuses == [503, 503, 202, 202]


@pytest.mark.parametrize(
    ("path", "opens", "closing", "closes", "status"),
    [
        ("pagerduty/stays-open/v2/enqueue", "trigger", "pagerduty/stays-open/v2/enqueue", "resolve", 400),
        (
            "jira_service_management/stays-open/jsm/ops/integration/v2/alerts",
            "",
            "jira_service_management/stays-open/jsm/ops/integration/v2/alerts/k/close",
            "",
            422,
        ),
    ],
)
def test_an_alert_can_stay_open(
    receiver: Receiver, path: str, opens: str, closing: str, closes: str, status: int
) -> None:
    opened = receiver.post(f"/{path}", f'{{"event_action": "{opens}", "message": "M"}}')
    closed = receiver.post(f"/{closing}", f'{{"event_action": "{closes}"}}')
    assert (opened.status_code, closed.status_code) == (202, status)


def test_a_switched_server_responds_as_it_was_switched_whatever_is_called_there(receiver: Receiver) -> None:
    receiver.inbox.switches.set(name_path("/telegram/works/~a"), Scenario.DENIED)
    calls = [
        "/telegram/works/~a/bot1/sendMessage",
        "/telegram/works/~a/bot2/sendMessage",
        "/telegram/works/bot1/sendMessage",
    ]
    assert [receiver.post(call).status_code for call in calls] == [401, 401, 200]


def test_the_closing_of_an_alert_is_stored_with_its_key(receiver: Receiver) -> None:
    receiver.post("/jira_service_management/works/jsm/ops/integration/v2/alerts/a%20b/close?identifierType=alias")
    assert receiver.inbox.list_newest()[0].closed == "a b"


@pytest.mark.parametrize("path", ["/", "/teams", "/teams/", "/teams/works/", "/email/works", "/teams/nonsense", "/%00"])
def test_any_other_path_is_not_found(receiver: Receiver, path: str) -> None:
    assert receiver.post(path).status_code == 404


def test_a_message_to_an_unknown_path_is_not_stored(receiver: Receiver) -> None:
    receiver.post("/teams/nonsense")
    assert receiver.inbox.list_newest() == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_any_other_method_is_not_allowed(receiver: Receiver, method: str) -> None:
    response = receiver.ask(method, "/teams/works")
    assert (response.status_code, response.headers["Allow"]) == (405, "POST")


def test_the_largest_body_is_accepted(receiver: Receiver) -> None:
    assert receiver.post("/slack/works", b"x" * LARGEST_BODY).status_code == 200


def test_a_larger_body_is_refused(receiver: Receiver) -> None:
    assert receiver.post("/slack/works", b"x" * (LARGEST_BODY + 1)).status_code == 413


@pytest.mark.parametrize(
    ("request_head", "response"),
    [
        (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"400"),
        (b"POST /teams/works HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"400"),
        (b"POST /teams/works HTTP/1.1\r\n\r\n", b"411"),
        (b"POST /teams/works HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b""),
    ],
)
def test_garbage_does_not_stop_the_server(receiver: Receiver, request_head: bytes, response: bytes) -> None:
    with receiver.connect(receiver.http_port) as client:
        client.sendall(request_head)
        client.shutdown(socket.SHUT_WR)
        assert response in client.recv(4096)
    assert receiver.post("/teams/works").status_code == 202


def test_silent_clients_do_not_stop_the_server(receiver: Receiver) -> None:
    with receiver.connect(receiver.http_port) as first, receiver.connect(receiver.http_port) as second:
        first.sendall(b"POST /teams/works HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        second.sendall(b"POST /te")
        assert receiver.post("/teams/works").status_code == 202


def test_a_client_that_resets_the_connection_does_not_stop_the_server(receiver: Receiver) -> None:
    client = receiver.connect(receiver.http_port)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
    client.sendall(b"POST /slack/slow HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}")
    client.close()
    assert receiver.post("/teams/works").status_code == 202
