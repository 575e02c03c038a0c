"""A refused form says why, on the page and in one line of the log. It changes nothing."""

import json
import logging
import re
from collections.abc import Callable
from html import unescape

import pytest
from flask import Flask
from sqlalchemy import delete, func, select
from werkzeug.test import TestResponse

from tests.factories import OWNER, PASSWORD, SeededIds
from tests.visitor import Visitor
from webapp.application import create_app
from webapp.auth.form_refusals import FormRefusal
from webapp.extensions import db
from webapp.models import AlertDelivery, SignIn
from webapp.receipt_links import ReceiptLinks
from webapp.settings import read_settings
from webapp.views.refused_form_texts import NOTICES, TEXTS, FormNotice

Visit = Callable[[int], Visitor]

CREDENTIALS = {"email": OWNER, "password": PASSWORD}

OWN = "/w/harbor/destinations/1"
PRESS, DISABLE, CHECK = f"{OWN}/test", f"{OWN}/disable", f"{OWN}/check/name"
HTMX = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{OWN}?from=mail"}

PUBLIC = "https://alerts.example.com"
# How a proxy that terminates https passes on a request, with the Host of the browser and without it.
PASSED = {"Host": "alerts.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
NOT_PASSED = PASSED | {"Host": "127.0.0.1:8000"}
BROWSER = {"Origin": PUBLIC, "Referer": f"{PUBLIC}{OWN}", "Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def member(seeded: SeededIds, visit: Visit) -> Visitor:
    return visit(seeded.admin)


@pytest.fixture
def behind_proxy(environment: dict[str, str], seeded: SeededIds) -> Flask:
    """The application as in the guide: https, and one proxy."""
    return create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1", "ALERTCHECK_TRUSTED_PROXIES": "1"}))


@pytest.fixture
def proxied(behind_proxy: Flask, seeded: SeededIds) -> Visitor:
    """An admin's browser, which sends its cookie whatever Host the proxy passes on."""
    visitor = Visitor.signed_in(behind_proxy, seeded.admin, PUBLIC)
    cookie = visitor.client.get_cookie("__Host-session", "alerts.example.com")
    assert cookie is not None
    visitor.client.set_cookie(cookie.key, cookie.value, domain="127.0.0.1", secure=True)
    return visitor


@pytest.fixture
def read_causes(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return the cause of every refusal in the log, and check that each line holds ids and fixed words alone."""
    caplog.set_level(logging.INFO, "webapp")

    def read() -> list[str]:
        lines = [record for record in caplog.records if record.msg == "form refused"]
        facts = [caplog.handler.formatter.format(line).partition("{")[2] for line in lines]  # type: ignore[union-attr]
        fields = [json.loads("{" + text) for text in facts]
        assert all(line.keys() == {"at", "level", "logger", "pid", "event", "cause", "rule"} for line in fields)
        return [line["cause"] for line in fields]

    return read


ReadCauses = Callable[[], list[str]]


def _end_sessions(app: Flask) -> None:
    with app.app_context():
        db.session.execute(delete(SignIn))
        db.session.commit()


def _read_page(response: TestResponse) -> tuple[str, ...]:
    """Return the title and the sentences of the page of a refused form."""
    (section,) = re.findall(r'<section[^>]* id="error">(.*?)</section>', response.text, re.DOTALL)
    sentences = re.findall(r"<(?:h1|p)[^>]*>(.*?)</(?:h1|p)>", section, re.DOTALL)
    return tuple(unescape(re.sub(r"<[^>]+>", "", sentence)) for sentence in sentences)


def _expected_page(cause: FormRefusal, cookie: str = "session") -> tuple[str, ...]:
    text = TEXTS[cause]
    for_admin = text.for_admin.format(cookie=cookie)
    return (text.title, text.advice, *([f"For the administrator: {for_admin}"] if for_admin else []))


@pytest.mark.parametrize("cause", FormRefusal)
def test_every_cause_has_its_own_sentences_without_an_address(cause: FormRefusal) -> None:
    text = TEXTS[cause]

    assert [other for other in FormRefusal if TEXTS[other].title == text.title] == [cause]
    assert "://" not in text.title + text.advice + text.for_admin
    assert "nothing was changed" in text.advice.lower()


@pytest.mark.parametrize(
    ("sent", "cause"),
    [
        (NOT_PASSED | BROWSER, FormRefusal.HOST_NOT_PASSED),
        (NOT_PASSED | {"Referer": f"{PUBLIC}{OWN}"}, FormRefusal.HOST_NOT_PASSED),
        (PASSED | BROWSER | {"Origin": f"{PUBLIC}:8443", "Referer": f"{PUBLIC}:8443/"}, FormRefusal.HOST_NOT_PASSED),
        (PASSED | {"Origin": "http://alerts.example.com"}, FormRefusal.SCHEME_DIFFERS),
        (PASSED | BROWSER | {"Sec-Fetch-Site": "cross-site"}, FormRefusal.OTHER_SITE),
        (PASSED | BROWSER | {"Referer": "https://evil.example/"}, FormRefusal.OTHER_SITE),
        (PASSED | BROWSER | {"Origin": "null"}, FormRefusal.ORIGIN_HIDDEN),
        (PASSED, FormRefusal.ORIGIN_MISSING),
    ],
)
@pytest.mark.parametrize("path", [DISABLE, PRESS, "/sign-out", "/sign-in"])
def test_over_https_a_form_needs_the_proof_of_its_page(
    proxied: Visitor, read_causes: ReadCauses, sent: dict[str, str], cause: FormRefusal, path: str
) -> None:
    response = proxied.post(path, headers=sent)

    assert (response.status_code, _read_page(response)) == (400, _expected_page(cause, "__Host-session"))
    assert read_causes() == [cause]
    assert proxied.get(OWN, headers=PASSED).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        BROWSER,
        {"Origin": PUBLIC},
        {"Sec-Fetch-Site": "same-origin"},
        {"Referer": f"{PUBLIC}{OWN}"},
        {"Origin": PUBLIC, "Sec-Fetch-Site": "same-origin", "Referer": ""},
    ],
)
def test_over_https_any_header_that_proves_the_page_is_enough(
    proxied: Visitor, read_causes: ReadCauses, sent: dict[str, str]
) -> None:
    assert proxied.post(DISABLE, headers=PASSED | sent).status_code == 302
    assert read_causes() == []


def test_a_proof_of_the_page_does_not_replace_the_token(proxied: Visitor, read_causes: ReadCauses) -> None:
    proxied.token = ""

    assert proxied.post(DISABLE, headers=PASSED | BROWSER).status_code == 400
    assert read_causes() == [FormRefusal.TOKEN_MISSING]


def test_over_http_a_form_needs_its_token_alone(member: Visitor) -> None:
    assert member.post(DISABLE, headers={"Origin": "http://alerts.lan"}).status_code == 302


def _sign_in_without_cookie(app: Flask, **sent: str) -> TestResponse:
    """Submit the sign-in form in a browser that keeps no cookie."""
    visitor = Visitor(app.test_client(use_cookies=False))
    visitor.get("/sign-in")
    return visitor.post("/sign-in", CREDENTIALS, headers={name.replace("_", "-"): text for name, text in sent.items()})


@pytest.mark.parametrize("sent", [{}, {"Origin": "http://localhost"}, {"Referer": "http://localhost/sign-in"}])
def test_an_https_only_cookie_over_http_names_the_settings(
    environment: dict[str, str], read_causes: ReadCauses, sent: dict[str, str]
) -> None:
    server = create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1"}))

    response = _sign_in_without_cookie(server, **sent)

    assert (response.status_code, _read_page(response)) == (400, _expected_page(FormRefusal.COOKIE_NEEDS_HTTPS))
    assert {"ALERTCHECK_HTTPS", "ALERTCHECK_TRUSTED_PROXIES"} <= set(re.findall(r"ALERTCHECK_\w+", response.text))
    assert read_causes() == [FormRefusal.COOKIE_NEEDS_HTTPS]


@pytest.mark.parametrize(
    ("https", "sent"),
    [
        ("0", {"Origin": "http://localhost"}),
        ("1", {"Origin": "https://localhost"}),
        ("1", {"Origin": PUBLIC, **PASSED}),
    ],
)
def test_a_blocked_cookie_is_told_apart(
    environment: dict[str, str], read_causes: ReadCauses, https: str, sent: dict[str, str]
) -> None:
    proxied = {"ALERTCHECK_HTTPS": https, "ALERTCHECK_TRUSTED_PROXIES": "1"}

    response = _sign_in_without_cookie(create_app(read_settings(environment | proxied)), **sent)

    assert (response.status_code, _read_page(response)) == (400, _expected_page(FormRefusal.COOKIE_MISSING))
    assert read_causes() == [FormRefusal.COOKIE_MISSING]


def test_a_cookie_that_another_program_overwrote_is_told_apart(app: Flask, read_causes: ReadCauses) -> None:
    visitor = Visitor.anonymous(app)
    visitor.client.set_cookie("session", "eyJvdGhlciI6MX0.signed.elsewhere")

    response = visitor.post("/sign-in", CREDENTIALS)

    assert (response.status_code, _read_page(response)) == (400, _expected_page(FormRefusal.COOKIE_UNREADABLE))
    assert "SECRET_KEY" in response.text
    assert read_causes() == [FormRefusal.COOKIE_UNREADABLE]


def test_two_web_servers_with_different_secret_keys_are_told_apart(
    app: Flask, environment: dict[str, str], owner: int, read_causes: ReadCauses
) -> None:
    other = create_app(read_settings(environment | {"SECRET_KEY": "another key for tests, long enough to sign with"}))
    visitor = Visitor.anonymous(app)
    visitor.client.application = other

    assert _read_page(visitor.post("/sign-in", CREDENTIALS)) == _expected_page(FormRefusal.COOKIE_UNREADABLE)
    assert read_causes() == [FormRefusal.COOKIE_UNREADABLE]


@pytest.mark.parametrize(
    ("token", "cause"),
    [("", FormRefusal.TOKEN_MISSING), ("forged", FormRefusal.TOO_OLD), ("IngiLg.x.y", FormRefusal.TOO_OLD)],
)
def test_a_form_without_a_token_of_ours_is_refused(
    member: Visitor, read_causes: ReadCauses, token: str, cause: FormRefusal
) -> None:
    member.token = token

    response = member.post(DISABLE)

    assert (response.status_code, _read_page(response)) == (400, _expected_page(cause))
    assert read_causes() == [cause]


def test_a_page_of_another_account_is_refused(
    app: Flask, seeded: SeededIds, member: Visitor, read_causes: ReadCauses
) -> None:
    member.token = Visitor.signed_in(app, seeded.stranger).token

    assert _read_page(member.post(DISABLE)) == _expected_page(FormRefusal.OTHER_ACCOUNT)
    assert read_causes() == [FormRefusal.OTHER_ACCOUNT]


def test_a_page_from_before_a_new_sign_in_offers_to_load_it_again(
    app: Flask, seeded: SeededIds, member: Visitor, read_causes: ReadCauses
) -> None:
    member.token = Visitor.signed_in(app, seeded.admin).token

    response = member.post(DISABLE, headers={"Referer": f"http://localhost{OWN}?from=mail"})

    assert _read_page(response) == _expected_page(FormRefusal.SIGNED_IN_MEANWHILE)
    assert f'href="{OWN}">Load the page again</a>' in response.text
    assert read_causes() == [FormRefusal.SIGNED_IN_MEANWHILE]


@pytest.mark.parametrize("referer", ["http://localhost//evil.example", "http://evil.example/x", "x", ""])
def test_a_refused_form_links_our_own_pages_alone(member: Visitor, referer: str) -> None:
    member.token = ""

    response = member.post(DISABLE, headers={"Referer": referer})

    assert re.findall(r'href="([^"]*)">Load the page again', response.text) == ["/"]


@pytest.mark.parametrize("path", ["/w/harbor/destinations/1/delete", "/password"])
def test_a_form_on_its_own_page_links_that_page(member: Visitor, path: str) -> None:
    member.token = ""

    assert f'href="{path}">Load the page again' in member.post(path).text


def _count_tests(app: Flask) -> int:
    with app.app_context():
        return db.session.scalar(select(func.count()).select_from(AlertDelivery)) or 0


def test_a_press_after_the_end_of_the_session_sends_nothing_and_returns_to_its_page(
    app: Flask, owner: int, visit: Visit, read_causes: ReadCauses
) -> None:
    visitor = visit(owner)
    _end_sessions(app)

    refused = visitor.post(PRESS, headers={"Referer": f"http://localhost{OWN}"})
    sign_in = visitor.get(refused.location or "")
    arrived = visitor.post(refused.location or "", CREDENTIALS)

    assert NOTICES[FormNotice.PRESS_AGAIN] in unescape(sign_in.text)
    assert refused.location == f"/sign-in?next={OWN}"
    assert "Your session has ended" not in sign_in.text  # one reason is enough
    assert (arrived.location, _count_tests(app), read_causes()) == (OWN, 0, [FormRefusal.SIGNED_OUT])


def test_a_press_by_htmx_after_the_end_of_the_session_returns_to_its_page(
    app: Flask, owner: int, visit: Visit, read_causes: ReadCauses
) -> None:
    visitor = visit(owner)
    _end_sessions(app)

    refused = visitor.post(PRESS, headers=HTMX)
    sign_in = visitor.get(refused.headers["HX-Redirect"])

    assert (refused.status_code, refused.headers["HX-Redirect"]) == (401, f"/sign-in?next={OWN}")
    assert NOTICES[FormNotice.PRESS_AGAIN] in unescape(sign_in.text)
    assert read_causes() == [FormRefusal.SIGNED_OUT]


def test_a_press_by_htmx_on_a_page_from_before_a_new_sign_in_loads_it_again_and_says_why(
    app: Flask, seeded: SeededIds, member: Visitor
) -> None:
    member.token = Visitor.signed_in(app, seeded.admin).token

    refused = member.post(PRESS, headers=HTMX)

    assert (refused.status_code, refused.headers["HX-Refresh"]) == (400, "true")
    assert TEXTS[FormRefusal.SIGNED_IN_MEANWHILE].advice in unescape(member.get(OWN).text)


def test_a_press_by_htmx_that_no_reload_can_help_stays_on_its_page_and_says_why(proxied: Visitor) -> None:
    refused = proxied.post(PRESS, headers=NOT_PASSED | BROWSER | HTMX)

    assert (refused.status_code, "HX-Refresh" in refused.headers, "HX-Redirect" in refused.headers) == (
        400,
        False,
        False,
    )
    assert _read_page(refused)[0] == TEXTS[FormRefusal.HOST_NOT_PASSED].title


@pytest.mark.parametrize("is_signed_in_again", [False, True])
def test_a_field_that_is_checked_too_late_leaves_the_page_as_it_is(
    app: Flask, seeded: SeededIds, member: Visitor, is_signed_in_again: bool
) -> None:
    if is_signed_in_again:
        member.token = Visitor.signed_in(app, seeded.admin).token
    else:
        _end_sessions(app)

    refused = member.post(CHECK, {"name": "Pager"}, headers=HTMX)

    notice = NOTICES[FormNotice.CHECK_SIGNED_IN if is_signed_in_again else FormNotice.CHECK_SIGNED_OUT]
    assert (refused.status_code, "HX-Refresh" in refused.headers, "HX-Redirect" in refused.headers) == (
        400,
        False,
        False,
    )
    assert _read_page(refused)[1] == notice


def test_a_link_in_a_message_works_without_cookie_and_origin(behind_proxy: Flask) -> None:
    links = ReceiptLinks("a key for tests, long enough to sign with", None)
    client = behind_proxy.test_client(use_cookies=False)

    response = client.post(f"/seen/{links.sign(1, 'K7QM4T')}", headers=NOT_PASSED | {"Origin": "null"})

    assert "This link does not work" in response.text  # it was judged as a link, not as a form
