"""The demo, which has no passwords, refuses every request that may not come directly from its own machine."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.factories import NOW, SIGNING_SECRET, SeededIds, get_account, get_destination, on_both_databases
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.channels import CHANNELS
from webapp.channels.message import Message
from webapp.deliveries import request_test, send
from webapp.extensions import db
from webapp.failures import MEANINGS, Code, DeliveryFailed
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.settings import AppSettings, read_settings
from webapp.views.demo.access import RefusalReason

FORWARDING = (
    *("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Server", "X-Forwarded"),
    *("Forwarded-For", "X-Original-Forwarded-For", "X-Real-IP", "Via", "CF-Connecting-IP", "CF-Ray", "CF-Visitor"),
    *("True-Client-IP", "Client-IP", "X-Client-IP", "X-Cluster-Client-IP", "Fastly-Client-IP", "Fly-Client-IP"),
    *("X-ProxyUser-Ip", "WL-Proxy-Client-IP", "X-Azure-ClientIP", "X-Envoy-External-Address", "X-Amzn-Trace-Id"),
    *("X-Original-URL", "X-Original-Host", "X-Host", "X-Scheme", "CDN-Loop", "X-ARR-LOG-ID", "Tailscale-User-Login"),
    *("Proxy-Connection", "X-Remote-Addr", "X-Remote-IP", "Ali-CDN-Real-IP", "X-Appengine-User-IP", "X-Vercel-Id"),
)
# What a browser and curl send by themselves, and what our pages add.
DIRECT = {
    "Accept": "text/html,*/*;q=0.8",
    "Accept-Encoding": "gzip, deflate, br, zstd",
    "Accept-Language": "en-US,en;q=0.5",
    "Cache-Control": "no-cache",
    "Connection": "keep-alive",
    "Cookie": "theme=dark",
    "DNT": "1",
    "HX-Request": "true",
    "HX-Current-URL": "http://localhost/sign-in",
    "If-None-Match": '"1"',
    "Origin": "http://localhost",
    "Pragma": "no-cache",
    "Priority": "u=0, i",
    "Purpose": "prefetch",
    "Referer": "http://localhost/sign-in",
    "Save-Data": "on",
    "Sec-CH-UA-Platform": '"Linux"',
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
    "Sec-GPC": "1",
    "Upgrade-Insecure-Requests": "1",
    "User-Agent": "Mozilla/5.0",
    "X-CSRFToken": "x",
    "X-Requested-With": "XMLHttpRequest",
}
ADDRESS = "http://127.0.0.1:8000"
MESSAGE = Message(TEST_EVENT, "msg_1", "K7QM4T", "Harbor", "Desk", "Ann", NOW)


@pytest.fixture
def environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """The settings of a demo."""
    return environment | {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
        "ALERTCHECK_PUBLIC_URL": ADDRESS,
    }


def _refusal(app: Flask, path: str = "/sign-in", method: str = "GET", **request: dict[str, str]) -> str | None:
    """Return the reason on the page that refuses a request, or None if the request was accepted."""
    environ_overrides = request.pop("environ", {})
    response = app.test_client().open(path, method=method, environ_overrides=environ_overrides, **request)  # type: ignore[arg-type]
    if response.status_code != 403:
        return None
    assert f'open <a href="{ADDRESS}">{ADDRESS}</a> in a browser' in response.text
    assert "The demo has no passwords" in response.text
    assert "Set-Cookie" not in response.headers
    return next(reason for reason in RefusalReason if reason in response.text)


@pytest.mark.parametrize("header", FORWARDING)
def test_a_request_with_a_forwarding_header_is_refused(app: Flask, header: str) -> None:
    assert _refusal(app, headers={header: "203.0.113.7"}) == RefusalReason.FORWARDED
    assert _refusal(app, headers={header.lower(): ""}) == RefusalReason.FORWARDED


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/static/app.css"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/demo/inbox"),
        ("GET", "/no/such/page"),
        ("GET", "/seen/x"),
        ("POST", "/demo/sign-in/admin"),
        ("POST", "/sign-in"),
        ("PUT", "/"),
    ],
)
def test_every_page_is_refused(app: Flask, method: str, path: str) -> None:
    assert _refusal(app, path, method, headers={"Via": "1.1 proxy"}) == RefusalReason.FORWARDED


def test_a_head_request_is_refused(app: Flask) -> None:
    assert app.test_client().head("/sign-in", headers={"Via": "1.1 proxy"}).status_code == 403


def test_the_liveness_check_responds_through_a_proxy(app: Flask) -> None:
    response = app.test_client().get("/healthz", headers={"X-Forwarded-For": "203.0.113.7"})

    assert (response.status_code, response.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/0.9"])
def test_a_request_of_an_old_protocol_is_refused(app: Flask, protocol: str) -> None:
    assert _refusal(app, environ={"SERVER_PROTOCOL": protocol}) == RefusalReason.OLD_PROTOCOL


@pytest.mark.parametrize(
    "peer", ["192.168.1.7", "203.0.113.7", "2001:db8::7", "::ffff:192.168.1.7", "0.0.0.0", "", "unix:"]
)
def test_a_request_from_another_machine_is_refused(app: Flask, peer: str) -> None:
    assert _refusal(app, environ={"REMOTE_ADDR": peer}) == RefusalReason.OTHER_MACHINE


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_a_request_from_the_same_machine_is_accepted(app: Flask, peer: str) -> None:
    assert _refusal(app, environ={"REMOTE_ADDR": peer}) is None


@pytest.mark.parametrize("host", ["demo.example.com", "192.168.1.7:8000", "localhost.example.com", "0.0.0.0:8000"])
def test_a_request_for_another_name_is_refused(app: Flask, host: str) -> None:
    assert _refusal(app, headers={"Host": host}) == RefusalReason.OTHER_NAME


def test_the_demo_allows_no_other_name_even_if_it_is_set(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_ALLOWED_HOSTS": "demo.example.com"}))

    assert _refusal(app, headers={"Host": "demo.example.com"}) == RefusalReason.OTHER_NAME


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://demo.example.com"},
        {"Origin": "http://localhost:9000"},
        {"Origin": "http://["},
        {"Sec-Fetch-Site": "same-origin", "Referer": "https://demo.example.com/sign-in"},
    ],
)
def test_a_request_of_a_page_at_another_address_is_refused(app: Flask, headers: dict[str, str]) -> None:
    assert _refusal(app, "/demo/sign-in/admin", "POST", headers=headers) == RefusalReason.OTHER_ORIGIN


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Referer": "https://github.example/readme"},  # a link to the demo
        {"Sec-Fetch-Site": "none"},
        {"Origin": "null"},  # the form of a page with Referrer-Policy: no-referrer
        {"Referer": "https://github.example/readme"},
        {"Host": "127.0.0.1:8000", "Origin": "http://127.0.0.1:8000"},
        {},
    ],
)
def test_a_link_to_the_demo_and_its_own_pages_are_accepted(app: Flask, headers: dict[str, str]) -> None:
    assert _refusal(app, headers=headers) is None


def test_what_browsers_send_is_accepted(app: Flask) -> None:
    assert _refusal(app, headers=DIRECT) is None


def test_a_refusal_is_logged_without_the_request(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    _refusal(app, "/seen/canary", headers={"X-Forwarded-For": "canary"})

    assert '"event": "demo request refused", "reason": "FORWARDED"' in caplog.text
    assert "canary" not in caplog.text


def test_an_installation_with_passwords_takes_requests_of_proxies(environment: dict[str, str]) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_DEMO": "0"}))

    assert _refusal(app, headers={"X-Forwarded-For": "203.0.113.7"}, environ={"REMOTE_ADDR": "203.0.113.7"}) is None


@on_both_databases
@pytest.mark.parametrize("role", ["%00", "owner", "Admin", "%ed%a0%80", "a" * 5000, "admin%20"])
def test_no_other_role_can_be_signed_in_to(app: Flask, seeded: SeededIds, role: str) -> None:
    assert Visitor.anonymous(app).post(f"/demo/sign-in/{role}").status_code == 404


ELSEWHERE = {"name": "Elsewhere", "address": "https://hooks.example.com/x", "signing_secret": SIGNING_SECRET}
OWN = ELSEWHERE | {"address": "http://127.0.0.1:1/webhook/works"}


def _add(app: Flask, seeded: SeededIds, form: dict[str, str]) -> TestResponse:
    return Visitor.signed_in(app, seeded.admin).post("/w/harbor/destinations/new/webhook", form)


def test_another_receiver_is_refused_with_the_reason_when_it_is_saved(app: Flask, seeded: SeededIds) -> None:
    response = _add(app, seeded, ELSEWHERE)

    assert response.status_code == 400
    assert "This is a demo. It sends messages to its own receiver only" in response.text


def test_the_demos_own_receiver_is_accepted(environment: dict[str, str], seeded: SeededIds) -> None:
    trusting = environment | {"ALERTCHECK_TRUSTED_ORIGINS": "http://127.0.0.1:1"}

    assert _add(create_app(read_settings(trusting)), seeded, OWN).status_code == 302


def test_another_receiver_is_accepted_if_the_administrator_wants_it(
    environment: dict[str, str], seeded: SeededIds
) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_DEMO_REAL_RECEIVERS": "1"}))

    assert _add(app, seeded, ELSEWHERE).status_code == 302


def test_a_destination_from_before_is_refused_with_the_reason_when_it_is_tested(
    app: Flask, seeded: SeededIds, app_settings: AppSettings
) -> None:
    with app.app_context():
        destination, admin = get_destination(seeded), get_account(seeded)
        delivery_id = request_test(destination, admin, datetime.now(UTC))
        send(delivery_id, app_settings)
        ended = db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)

    assert (ended.status, ended.last_error_code) == (DeliveryStatus.FAILED, Code.DEMO_RECEIVER_ONLY)
    assert "ALERTCHECK_DEMO_REAL_RECEIVERS=1" in MEANINGS[Code.DEMO_RECEIVER_ONLY].next_step


def test_email_without_the_demos_mail_server_is_refused_with_the_reason(
    environment: dict[str, str], app_settings: AppSettings
) -> None:
    mail = {"ALERTCHECK_MAIL_URL": "smtp://mail.example.com", "ALERTCHECK_MAIL_FROM": "alerts@example.com"}
    outbound = read_settings(environment | mail).outbound

    with pytest.raises(DeliveryFailed) as caught:
        CHANNELS["email"].send({"recipients": "ann@example.com"}, MESSAGE, outbound)

    assert caught.value.code is Code.DEMO_RECEIVER_ONLY


@pytest.mark.parametrize(
    ("flag", "sentence"),
    [("0", "Nothing leaves this machine: all messages"), ("1", "Messages leave this machine if you")],
)
def test_the_sign_in_page_says_where_messages_go(environment: dict[str, str], flag: str, sentence: str) -> None:
    app = create_app(read_settings(environment | {"ALERTCHECK_DEMO_REAL_RECEIVERS": flag}))

    assert sentence in app.test_client().get("/sign-in").text
