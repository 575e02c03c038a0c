"""The signed webhook: its request, its verifiable signature, and the meaning of the responses."""

import base64
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.channels.conftest import LINK, RecordingReceiver
from tests.channels.refusals import find_failure, find_refusal
from webapp.channels.contract import Accepted, Preview
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.channels.webhook import CHANNEL
from webapp.channels.webhook_bodies import BODIES
from webapp.failures import Code
from webapp.outbound import OutboundClient

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()

ADDRESS, SIGNING_SECRET, *_ = CHANNEL.fields


def send(receiver: RecordingReceiver, message: Message, secret: str = SECRET) -> Accepted:
    settings = {"address": receiver.url("/hooks/s3cr-tPath?key=1"), "signing_secret": secret}
    return CHANNEL.send(settings, message, receiver.outbound)


def send_with(receiver: RecordingReceiver, message: Message, **settings: str) -> Accepted:
    """Send with further settings, to a receiver that accepts."""
    receiver.respond_with(204)
    return CHANNEL.send({"address": receiver.url("/hook"), **settings}, message, receiver.outbound)


def preview_with(receiver: RecordingReceiver, message: Message, **settings: str) -> Preview:
    return CHANNEL.preview({"address": receiver.url("/hook"), **settings}, message, receiver.outbound)


BASIC = {"basic_user": "ann", "basic_password": "s3cr-tWord"}
AUTHORIZED = {
    "Basic": (BASIC, "Basic YW5uOnMzY3ItdFdvcmQ="),
    "bearer token": ({"bearer_token": "s3cr-tWord"}, "Bearer s3cr-tWord"),
    "header": ({"headers": "authorization: GenieKey s3cr-tWord"}, "GenieKey s3cr-tWord"),
}


@pytest.mark.parametrize(("settings", "value"), AUTHORIZED.values(), ids=AUTHORIZED)
def test_the_receiver_gets_one_authorization(
    settings: dict[str, str], value: str, receiver: RecordingReceiver, message: Message
) -> None:
    send_with(receiver, message, **settings)
    assert receiver.request.headers.getlist("Authorization") == [value]


@pytest.mark.parametrize(("settings", "value"), AUTHORIZED.values(), ids=AUTHORIZED)
def test_a_preview_names_the_authorization_without_its_value(
    settings: dict[str, str], value: str, receiver: RecordingReceiver, message: Message
) -> None:
    preview = preview_with(receiver, message, **settings)
    assert ["authorization" in map(str.lower, preview.headers), "s3cr-tWord" in repr(preview)] == [True, False]
    assert value not in repr(preview)


def test_added_headers_are_sent_beside_our_own(receiver: RecordingReceiver, message: Message) -> None:
    send_with(receiver, message, headers="X-Api-Key: s3cr-tWord\nX-Team: ops", signing_secret=SECRET)
    headers = receiver.request.headers
    assert (headers["X-Api-Key"], headers["X-Team"]) == ("s3cr-tWord", "ops")
    assert (headers["Content-Type"], headers["User-Agent"]) == ("application/json", "Alertcheck")
    Webhook(SECRET).verify(receiver.request.get_data(), dict(headers))


@pytest.mark.parametrize("name", ["host", "content-length", "webhook-id", "user-agent", "x"])
def test_stored_headers_that_cannot_be_sent_end_as_incomplete_settings(
    name: str, receiver: RecordingReceiver, message: Message
) -> None:
    assert find_failure(send_with, receiver, message, headers=f"{name}: a\r\n{name}: b").code is Code.CONFIG_INCOMPLETE
    assert receiver.requests == []


@pytest.mark.parametrize("settings", [BASIC | {"bearer_token": "x"}, {"method": "DELETE"}, {"body": "zabbix"}])
@pytest.mark.parametrize("act", [send_with, preview_with])
def test_stored_settings_that_no_form_saves_end_as_incomplete_settings(
    act: Callable[..., object], settings: dict[str, str], receiver: RecordingReceiver, message: Message
) -> None:
    assert find_failure(act, receiver, message, **settings).code is Code.CONFIG_INCOMPLETE
    assert receiver.requests == []


@pytest.mark.parametrize(
    ("settings", "method"), [({}, "POST"), ({"method": "POST"}, "POST"), ({"method": "PUT"}, "PUT")]
)
def test_a_message_is_sent_and_previewed_with_the_chosen_method(
    settings: dict[str, str], method: str, receiver: RecordingReceiver, message: Message
) -> None:
    send_with(receiver, message, **settings)
    assert receiver.request.method == preview_with(receiver, message, **settings).verb == method


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_every_body_is_previewed_signed_and_sent_to_the_letter(
    body: str, method: str, receiver: RecordingReceiver, message: Message
) -> None:
    odd = replace(message, workspace="Büro \N{FIRE} </script>", destination="a\r\nX-Evil: 1")
    settings = {"body": body, "method": method, "signing_secret": SECRET}
    send_with(receiver, odd, **settings)
    preview, request = preview_with(receiver, odd, **settings), receiver.request

    Webhook(SECRET).verify(request.get_data(), dict(request.headers))
    assert [part.text for part in preview.parts] == [request.get_data(as_text=True)]
    assert request.headers["webhook-id"] == preview.headers["webhook-id"] == "msg_2f9c"
    assert "X-Evil" not in request.headers


def test_without_a_secret_a_message_is_sent_unsigned(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(200)

    send(receiver, message, secret="")

    assert "webhook-signature" not in receiver.request.headers
    assert receiver.request.headers["webhook-id"] == message.message_id


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_any_2xx_means_accepted(status: int, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(status, "whatever")
    assert send(receiver, message) == Accepted(status)


@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=utf-8", "application/json", ""])
def test_a_web_page_is_accepted_with_a_warning(
    content_type: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(200, "<!doctype html><title>s3cr-tPath</title>", {"Content-Type": content_type})
    assert send(receiver, message).warning == (
        "127.0.0.1 answered with a web page, as sign-in and error pages do. Check that the message arrived."
    )


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://new.example.com/s3cr-tPath", "on new.example.com."),
        ("/s3cr-tPath/", "another address on the same host."),
        ("http://10.0.0.1/s3cr-tPath", "another address. Alert"),
    ],
)
def test_a_redirect_names_the_host_it_leads_to_and_never_the_path(
    location: str, shown: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(308, headers={"Location": location})
    failure = find_failure(send, receiver, message)
    assert shown in failure.message
    assert "s3cr-tPath" not in failure.message


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (301, Code.REDIRECT_REFUSED),
        (302, Code.SIGN_IN_PAGE),
        (303, Code.SIGN_IN_PAGE),
        (304, Code.UNEXPECTED_STATUS),
        (308, Code.REDIRECT_REFUSED),
        (400, Code.BAD_REQUEST),
        (401, Code.AUTH_FAILED),
        (403, Code.FORBIDDEN),
        (404, Code.NOT_FOUND),
        (405, Code.METHOD_NOT_ALLOWED),
        (410, Code.GONE),
        (413, Code.PAYLOAD_TOO_LARGE),
        (422, Code.BAD_REQUEST),
        (429, Code.RATE_LIMITED),
        (500, Code.REMOTE_ERROR),
        (501, Code.METHOD_NOT_ALLOWED),
        (502, Code.GATEWAY_GAVE_UP),
        (503, Code.REMOTE_UNAVAILABLE),
        (504, Code.GATEWAY_GAVE_UP),
        (520, Code.GATEWAY_GAVE_UP),
        (521, Code.REMOTE_UNAVAILABLE),
        (524, Code.GATEWAY_GAVE_UP),
    ],
)
def test_any_other_status_is_a_failure_that_quotes_nothing(
    status: int, code: Code, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, "the s3cr-tPath is wrong")
    assert find_refusal(send, receiver, message) == (code, status, None)


@pytest.mark.parametrize("status", [429, 503])
def test_the_requested_retry_delay_is_passed_on(status: int, receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(status, headers={"Retry-After": "9"})
    assert find_failure(send, receiver, message).retry_after == 9


def test_the_body_is_an_event_that_names_itself(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(204)
    send(receiver, message)
    assert receiver.request.content_type == "application/json"
    assert receiver.json == {
        "type": "alerts.test",
        "timestamp": "2026-11-03T08:35:06+00:00",
        "data": {
            "title": "[TEST] Test alert from Acme GmbH",
            "explanation": "Someone pressed Send test to check whether alerts arrive here. No action is needed.",
            "workspace": "Acme GmbH",
            "destination": "On-call",
            "sent_by": "Support desk",
            "sent_at": "2026-11-03 08:35:06 UTC",
            "reference": "K7QM-4T",
        },
    }


def test_a_link_is_a_field_of_the_event(receiver: RecordingReceiver, message_with_link: Message) -> None:
    receiver.respond_with(204)
    send(receiver, message_with_link)
    assert receiver.json["data"]["receipt_link"] == LINK


def test_the_receiver_can_verify_exactly_the_bytes_it_got(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(204)
    send(receiver, replace(message, workspace="Büro \N{FIRE} </script>"))
    verified = Webhook(SECRET).verify(receiver.request.get_data(), dict(receiver.request.headers))
    assert verified["data"]["workspace"] == "Büro \N{FIRE} </script>"


def test_a_receiver_with_another_secret_rejects_the_signature(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(204)
    send(receiver, message)
    other = Webhook("whsec_" + base64.b64encode(bytes(32)).decode())
    with pytest.raises(WebhookVerificationError):
        other.verify(receiver.request.get_data(), dict(receiver.request.headers))


def test_every_attempt_has_the_same_id_and_its_own_timestamp(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(204)
    send(receiver, message)
    send(receiver, message)
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "msg_2f9c"
    assert abs(int(second.headers["webhook-timestamp"]) - time.time()) < 10


def test_the_longest_names_fit_into_20_kb(receiver: RecordingReceiver, message: Message) -> None:
    receiver.respond_with(204)
    endless = "\N{FIRE}" * 100_000
    send(receiver, replace(message, workspace=endless, destination=endless, requested_by=endless))
    assert len(receiver.request.get_data()) < 20_000


def test_a_redirect_to_what_a_google_script_answered_means_that_it_ran(
    receiver: RecordingReceiver, message: Message
) -> None:
    location = "https://script.googleusercontent.com/macros/echo?user_content_key=AbC&lib=MgG"
    receiver.respond_with(302, "<HTML>Moved", {"Location": location, "Content-Type": "text/html"})
    assert send(receiver, message) == Accepted(302)


@pytest.mark.parametrize(
    ("status", "location"),
    [
        (302, "https://accounts.google.com/ServiceLogin?continue=https://script.googleusercontent.com/macros/echo?a"),
        (302, "https://script.googleusercontent.com.example.org/macros/echo?a"),
        (302, "http://script.googleusercontent.com/macros/echo?a"),
        (303, "https://script.googleusercontent.com/macros/echo?a"),
    ],
)
def test_any_other_redirect_leaves_open_whether_the_message_arrived(
    status: int, location: str, receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(status, "", {"Location": location})
    assert find_failure(send, receiver, message).code is Code.SIGN_IN_PAGE


@pytest.mark.parametrize("secret", ["whsec_", "whsec_!", "whsec_a", "whsec_\N{FIRE}"])
def test_a_stored_secret_that_cannot_sign_ends_as_incomplete_settings(
    secret: str, receiver: RecordingReceiver, message: Message
) -> None:
    assert find_failure(send, receiver, message, secret).code is Code.CONFIG_INCOMPLETE
    assert receiver.requests == []


@pytest.mark.parametrize("address", ["https://alerts.acme.com/hook?k=1", " https://ALERTS.acme.com:443/hook?k=1 "])
def test_any_public_https_address_is_kept(address: str) -> None:
    assert ADDRESS.check(address, OutboundClient()) == "https://alerts.acme.com/hook?k=1"


@pytest.mark.parametrize(
    "address",
    [
        "http://alerts.acme.com/s3cr-tPath",
        "https://alerts.acme.com:8443/s3cr-tPath",
        "https://10.0.0.1/s3cr-tPath",
        "https://localhost/s3cr-tPath",
        "https://ann:s3cr-tPath@alerts.acme.com/",
        "s3cr-tPath",
    ],
)
def test_a_forbidden_address_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        ADDRESS.check(address, OutboundClient())
    assert "s3cr-tPath" not in str(caught.value)


def test_a_secret_without_its_base64_padding_is_kept_and_can_sign(
    receiver: RecordingReceiver, message: Message
) -> None:
    receiver.respond_with(204)
    send(receiver, message, SIGNING_SECRET.check(SECRET.rstrip("="), OutboundClient()))
    Webhook(SECRET).verify(receiver.request.get_data(), dict(receiver.request.headers))


@pytest.mark.parametrize("around", ['"{}"', "`{}`", "\u200b{}\ufeff", "\u00a0{}\n"])
def test_a_secret_is_kept_however_it_was_pasted(around: str) -> None:
    assert SIGNING_SECRET.check(around.format(SECRET), OutboundClient()) == SECRET


@pytest.mark.parametrize("length", [24, 32, 64])
def test_a_secret_of_24_to_64_bytes_is_kept(length: int) -> None:
    secret = "whsec_" + base64.b64encode(bytes(length)).decode()
    assert SIGNING_SECRET.check(f" {secret}\n", OutboundClient()) == secret


@pytest.mark.parametrize(
    ("secret", "complaint"),
    [
        ("s3cr-tWord", "begins with whsec_"),
        (base64.b64encode(bytes(32)).decode(), "begins with whsec_"),
        ("whsec_s3cr-tWord", "Base64"),
        ("whsec_" + base64.b64encode(bytes(32)).decode()[:-3], "Base64"),
        ("whsec_" + base64.b64encode(bytes(23)).decode(), "24 to 64"),
        ("whsec_" + base64.b64encode(bytes(65)).decode(), "24 to 64"),
        ("whsec_\N{FIRE}", "Base64"),
        ("whsec_", "24 to 64"),
    ],
)
def test_an_invalid_secret_is_refused_without_repeating_it(secret: str, complaint: str) -> None:
    with pytest.raises(SettingInvalid) as caught:
        SIGNING_SECRET.check(secret, OutboundClient())
    assert complaint in str(caught.value)
    assert "s3cr-tWord" not in str(caught.value)


def test_all_addresses_at_one_host_share_a_limit() -> None:
    def target(address: str) -> object:
        return CHANNEL.targets({"address": address}, OutboundClient())

    assert target("https://example.com/a") == target("https://EXAMPLE.com./b") != target("https://example.org/a")
