"""Signing in and out over HTTP: accepted credentials, error sentences, throttling and redirects."""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import pytest
import time_machine
from flask import Flask
from sqlalchemy import text, update
from werkzeug.test import TestResponse

from benchmarks.installation.servers import QueueServer
from tests.factories import NOW, OWNER, PASSWORD, SeededIds, on_both_databases
from tests.visitor import Visitor
from webapp import queue
from webapp.application import create_app
from webapp.auth.accounts import add_account, set_active
from webapp.auth.sign_in_limits import MAX_PER_CLIENT
from webapp.extensions import db
from webapp.models import SignInWindow
from webapp.settings import read_settings

Visit = Callable[[int], Visitor]

EMAIL, WRONG = OWNER, "canary horse battery"
NEW = "another horse battery"
PAGE = "/w/harbor/destinations"


@pytest.fixture
def browser(app: Flask, owner: int) -> Visitor:
    """A browser on the sign-in page."""
    return Visitor.anonymous(app)


def _sign_in(visitor: Visitor, email: str, password: str, address: str = "192.0.2.1", path: str = "") -> TestResponse:
    form = {"email": email, "password": password}
    return visitor.post(f"/sign-in{path}", form, environ_base={"REMOTE_ADDR": address})


def _visible_part(response: TestResponse, email: str) -> tuple[object, ...]:
    """Return what a response reveals, without its tokens and the typed address."""
    headers = [pair for pair in response.headers if pair[0] not in ("Set-Cookie", "Content-Length")]
    text = re.sub(r'name="csrf_token"[^>]*value="[^"]+"|"X-CSRFToken": "[^"]+"', "", response.text)
    return response.status_code, headers, text.replace(email, "")


@on_both_databases
def test_the_right_password_opens_the_first_workspace(browser: Visitor) -> None:
    assert _sign_in(browser, EMAIL, PASSWORD).location == "/"
    assert browser.get("/").location == PAGE
    assert browser.get(PAGE).status_code == 200


def test_a_screen_reader_hears_that_a_sign_in_was_refused(browser: Visitor) -> None:
    page = _sign_in(browser, EMAIL, WRONG).text

    assert "<title>Error: Sign in" in page
    (focused,) = re.findall("<input[^>]* autofocus[^>]*>", page)
    assert 'id="password"' in focused
    assert 'aria-describedby="password-help password-check"' in focused
    assert "autofocus" not in browser.get("/sign-in").text


def test_a_wrong_password_is_refused_with_one_general_sentence(browser: Visitor) -> None:
    response = _sign_in(browser, EMAIL, WRONG)

    assert response.status_code == 400
    assert "The email address or the password is incorrect." in response.text
    assert browser.get(PAGE).status_code == 302


def test_an_unknown_address_looks_like_a_wrong_password(browser: Visitor) -> None:
    unknown = _sign_in(browser, "nobody@example.com", PASSWORD)

    assert _visible_part(unknown, "nobody@example.com") == _visible_part(_sign_in(browser, EMAIL, WRONG), EMAIL)


def test_an_account_without_a_password_looks_like_a_wrong_password(browser: Visitor) -> None:
    without = _sign_in(browser, "admin@example.com", PASSWORD)

    assert _visible_part(without, "admin@example.com") == _visible_part(_sign_in(browser, EMAIL, WRONG), EMAIL)


def test_a_disabled_account_looks_like_a_wrong_password(app: Flask, browser: Visitor) -> None:
    with app.app_context():
        set_active(add_account("eve@example.com", "Eve", PASSWORD, NOW), False)
        db.session.commit()

    disabled = _sign_in(browser, "eve@example.com", PASSWORD)

    assert _visible_part(disabled, "eve@example.com") == _visible_part(_sign_in(browser, EMAIL, WRONG), EMAIL)


@on_both_databases
def test_a_nul_in_the_password_looks_like_a_wrong_password(browser: Visitor) -> None:
    response = _sign_in(browser, EMAIL, f"{PASSWORD}\x00")

    assert response.status_code == 400
    assert "The email address or the password is incorrect." in response.text


@pytest.mark.parametrize(
    ("email", "password", "sentences"),
    [
        ("", "", ["Enter your email address.", "Enter your password."]),
        (EMAIL, "", ["Enter your password."]),
        ("", WRONG, ["Enter your email address."]),
        ("  ", WRONG, ["Enter your email address."]),
        ("e" * 255, WRONG, ["The email address is longer than 254 characters."]),
    ],
)
def test_a_missing_value_is_reported_beside_its_field(
    browser: Visitor, email: str, password: str, sentences: list[str]
) -> None:
    response = _sign_in(browser, email, password)

    assert response.status_code == 400
    assert re.findall(r'<p class="error" id="(?:email|password)-error">([^<]+)</p>', response.text) == sentences


@pytest.mark.parametrize("email", [EMAIL, "a typo.example.com", "e" * 255])
def test_a_refused_form_keeps_the_address_and_drops_the_password(browser: Visitor, email: str) -> None:
    page = _sign_in(browser, email, WRONG).text

    assert f'value="{email}"' in page
    assert WRONG not in page


def test_a_typed_address_is_escaped(browser: Visitor) -> None:
    page = _sign_in(browser, '"><script>alert(1)</script>', "").text

    assert 'value="&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"' in page


def test_no_password_reaches_the_log(browser: Visitor, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    _sign_in(browser, EMAIL, WRONG)
    _sign_in(browser, EMAIL, PASSWORD)

    assert WRONG not in caplog.text
    assert PASSWORD not in caplog.text


def test_an_address_gets_20_tries_a_minute(browser: Visitor) -> None:
    responses = [_sign_in(browser, f"{number}@example.com", "") for number in range(21)]

    assert [response.status_code for response in responses] == [400] * 20 + [429]


def test_throttling_one_address_leaves_the_others_alone(browser: Visitor) -> None:
    last = [_sign_in(browser, f"{number}@example.com", "") for number in range(21)][-1]

    assert last.status_code == 429
    assert _sign_in(browser, EMAIL, PASSWORD, address="192.0.2.2").status_code == 302


@pytest.fixture
def middle_of_a_window(app: Flask) -> Iterator[None]:
    """The clock stands 10 minutes before the end of a quarter of an hour, with which the limits per account end."""
    quarter = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    with time_machine.travel(quarter + timedelta(minutes=5), tick=False):
        yield


def _refuse(browser: Visitor, times: int, *emails: str) -> list[int]:
    """Fail to sign in from one IP address, with each email address in turn; return the status codes."""
    return [_sign_in(browser, emails[number % len(emails)], WRONG).status_code for number in range(times)]


@pytest.fixture
def throttled(app: Flask, browser: Visitor, middle_of_a_window: None) -> None:
    """The account is throttled for the client of `_sign_in`. One try made the row, as if it were the last of ten."""
    _refuse(browser, 1, EMAIL)
    with app.app_context():
        db.session.execute(update(SignInWindow).values(refused=MAX_PER_CLIENT))
        db.session.commit()


@pytest.mark.usefixtures("middle_of_a_window")
def test_an_account_is_throttled_however_its_address_is_spelled(browser: Visitor) -> None:
    assert _refuse(browser, 11, EMAIL, "OWNER@Example.com", f"  {EMAIL} ") == [400] * 10 + [429]


@pytest.mark.usefixtures("middle_of_a_window")
def test_an_unknown_account_is_throttled_like_one_that_exists(browser: Visitor) -> None:
    unknown = [_visible_part(_sign_in(browser, "nobody@example.com", WRONG), "nobody@example.com") for _ in range(11)]
    known = [_visible_part(_sign_in(browser, EMAIL, WRONG, address="192.0.2.2"), EMAIL) for _ in range(11)]

    assert (unknown[-1][0], unknown) == (429, known)


@pytest.mark.usefixtures("middle_of_a_window")
def test_a_throttled_visitor_reads_how_long_to_wait(browser: Visitor) -> None:
    _refuse(browser, 10, EMAIL)

    response = _sign_in(browser, EMAIL, PASSWORD)

    assert (response.status_code, "Too many attempts" in response.text) == (429, True)
    assert "Wait 10 minutes, then try again." in response.text
    assert response.headers["Retry-After"] == "600"


@pytest.mark.usefixtures("middle_of_a_window")
def test_an_ipv6_customer_cannot_change_the_address_to_get_more_tries(browser: Visitor) -> None:
    tries = [_sign_in(browser, EMAIL, WRONG, address=f"2001:db8::{number:x}").status_code for number in range(1, 12)]

    assert tries == [400] * 10 + [429]
    assert _sign_in(browser, EMAIL, PASSWORD, address="2001:db8:0:1::1").status_code == 302


@pytest.mark.usefixtures("middle_of_a_window")
def test_an_ipv4_address_written_as_ipv6_is_the_same_client(browser: Visitor) -> None:
    spellings = ["192.0.2.1", "::ffff:192.0.2.1", "::ffff:c000:201"]

    tries = [_sign_in(browser, EMAIL, WRONG, address=spellings[number % 3]).status_code for number in range(11)]

    assert tries == [400] * 10 + [429]


@pytest.mark.usefixtures("middle_of_a_window")
def test_without_redis_the_limits_of_an_account_hold(environment: dict[str, str], owner: int) -> None:
    servers = [create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"})) for _ in range(2)]
    browsers = [Visitor.anonymous(server) for server in servers]

    tries = [_sign_in(browsers[number % 2], EMAIL, WRONG).status_code for number in range(11)]

    assert tries == [400] * 10 + [429]


def test_without_redis_a_web_server_counts_the_requests_of_a_client_itself(
    environment: dict[str, str], owner: int
) -> None:
    browser = Visitor.anonymous(create_app(read_settings(environment | {"REDIS_URL": "redis://127.0.0.1:1"})))

    tries = [_sign_in(browser, EMAIL, "").status_code for _ in range(21)]

    assert tries == [400] * 20 + [429]


@pytest.mark.usefixtures("middle_of_a_window")
def test_the_owner_signs_in_from_a_client_used_before_while_strangers_guess(app: Flask, browser: Visitor) -> None:
    _sign_in(browser, EMAIL, PASSWORD)
    stranger = Visitor.anonymous(app)
    for number in range(30):
        _sign_in(stranger, EMAIL, WRONG, address=f"198.51.100.{number // 10}")

    assert _sign_in(stranger, EMAIL, PASSWORD, address="198.51.100.9").status_code == 429
    assert _sign_in(Visitor.anonymous(app), EMAIL, PASSWORD).status_code == 302


@pytest.mark.usefixtures("middle_of_a_window")
def test_a_password_change_remembers_the_client_that_made_it(app: Flask, signed_in_owner: Visitor) -> None:
    signed_in_owner.post("/password", {"current": PASSWORD, "new": NEW}, environ_base={"REMOTE_ADDR": "192.0.2.7"})
    stranger = Visitor.anonymous(app)
    for number in range(30):
        _sign_in(stranger, EMAIL, WRONG, address=f"198.51.100.{number // 10}")

    assert _sign_in(Visitor.anonymous(app), EMAIL, NEW, address="192.0.2.7").status_code == 302


def test_the_keys_of_the_limits_hold_no_typed_address(
    browser: Visitor, queue_server: QueueServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    _refuse(browser, 11, "typed-in-the-wrong-field")

    keys = queue.connect(queue_server.url).keys("*")

    assert [key for key in keys if b"wrong-field" in key] == []
    assert "wrong-field" not in caplog.text


@pytest.mark.parametrize("wanted", [PAGE, "/w/harbor/destinations/1?from=mail", "/%2F%2Fevil.example", "/@evil"])
def test_a_sign_in_leads_to_the_requested_page_of_our_site(browser: Visitor, wanted: str) -> None:
    response = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD}, query_string={"next": wanted})

    assert response.location == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/\x00/evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/／evil.example",
        "//ⓔvil.example",
        "/w/harbor\r\nSet-Cookie: stolen=1",
        "http://[::1",
        "",
    ],
)
def test_a_sign_in_never_leads_to_another_site(browser: Visitor, wanted: str) -> None:
    response = browser.post("/sign-in", {"email": EMAIL, "password": PASSWORD}, query_string={"next": wanted})

    assert response.status_code == 302
    assert _stays_here(response.location or "")


def _stays_here(location: str) -> bool:
    """Read a location as browsers do: they drop tabs and line ends, trim control characters, and read \\ as /."""
    seen = re.sub(r"[\t\r\n]", "", location).strip("".join(map(chr, range(33)))).replace("\\", "/")
    return seen.startswith("/") and not seen.startswith("//")


def test_a_visitor_who_signs_in_arrives_at_the_requested_page(app: Flask, browser: Visitor) -> None:
    sign_in_path = browser.get("/w/harbor/destinations/1?from=mail").location or ""
    assert sign_in_path.startswith("/sign-in?next=")
    assert browser.get(sign_in_path).status_code == 200

    response = browser.post(sign_in_path, {"email": EMAIL, "password": PASSWORD})

    assert response.location == "/w/harbor/destinations/1?from=mail"


def test_a_post_is_not_repeated_after_the_sign_in(browser: Visitor) -> None:
    assert browser.post("/w/harbor/destinations/1/delete").location == "/sign-in"


@pytest.mark.parametrize(("method", "fragment"), [("get", "status"), ("post", "test")])
def test_a_fragment_without_a_session_sends_the_whole_page_to_the_sign_in(
    browser: Visitor, method: str, fragment: str
) -> None:
    response = getattr(browser, method)(f"/w/harbor/destinations/1/{fragment}", headers={"HX-Request": "true"})

    assert (response.status_code, response.headers["HX-Redirect"], response.text) == (401, "/sign-in", "")


def test_a_sign_in_after_a_fragments_redirect_returns_to_its_page(browser: Visitor) -> None:
    asked_from = {"HX-Request": "true", "HX-Current-URL": "http://localhost/w/harbor/destinations/1?from=mail"}

    sign_in_path = browser.get("/w/harbor/destinations/1/status", headers=asked_from).headers["HX-Redirect"]
    response = browser.post(sign_in_path, {"email": EMAIL, "password": PASSWORD})

    assert response.location == "/w/harbor/destinations/1"


def test_a_signed_in_member_is_not_asked_to_sign_in_again(seeded: SeededIds, visit: Visit) -> None:
    assert visit(seeded.viewer).get("/sign-in").location == "/"


def test_signing_in_ends_the_earlier_session_of_the_browser(seeded: SeededIds, visit: Visit, owner: int) -> None:
    visitor = visit(seeded.stranger)
    assert visitor.get("/w/clinic/destinations").status_code == 200

    _sign_in(visitor, EMAIL, PASSWORD)

    assert visitor.get("/w/clinic/destinations").status_code == 404
    assert visitor.get(PAGE).status_code == 200


def test_a_csrf_token_from_before_the_sign_in_is_refused_after_it(browser: Visitor) -> None:
    _sign_in(browser, EMAIL, PASSWORD)

    assert browser.post("/w/harbor/destinations/1/disable").status_code == 400


def test_signing_out_ends_the_session_and_confirms_it(seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.admin)

    assert visitor.post("/sign-out").location == "/sign-in"
    assert "You are signed out." in visitor.get("/sign-in").text
    assert visitor.get(PAGE).status_code == 302


def _session_cookie(response: TestResponse) -> dict[str, object]:
    """Return the name and the attributes of the only cookie that a response sets."""
    (line,) = response.headers.getlist("Set-Cookie")
    ((name, cookie),) = SimpleCookie(line).items()
    return {"name": name} | {key: value for key, value in cookie.items() if value and key != "expires"}


def test_scripts_and_other_sites_cannot_read_the_session_cookie(browser: Visitor) -> None:
    cookie = _session_cookie(_sign_in(browser, EMAIL, PASSWORD))

    assert cookie == {"name": "session", "path": "/", "samesite": "Lax", "httponly": True}


def test_over_https_the_session_cookie_is_bound_to_this_host_and_to_https(
    environment: dict[str, str], owner: int
) -> None:
    visitor = Visitor.anonymous(create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1"})))

    cookie = _session_cookie(_sign_in(visitor, EMAIL, PASSWORD))

    assert cookie == {"name": "__Host-session", "path": "/", "samesite": "Lax", "httponly": True, "secure": True}


def test_over_https_a_form_is_accepted_only_from_our_own_pages(environment: dict[str, str], owner: int) -> None:
    client = create_app(read_settings(environment | {"ALERTCHECK_HTTPS": "1"})).test_client()
    visitor = Visitor(client)
    here = {"base_url": "https://alerts.example.com"}
    visitor.get("/sign-in", **here)
    form = {"email": EMAIL, "password": PASSWORD}

    foreign = visitor.post("/sign-in", form, headers={"Referer": "https://evil.example/sign-in"}, **here)
    own = visitor.post("/sign-in", form, headers={"Referer": "https://alerts.example.com/sign-in"}, **here)

    assert (foreign.status_code, own.status_code) == (400, 302)


@pytest.fixture
def signed_in_owner(browser: Visitor) -> Visitor:
    """The owner's browser, signed in and on a page."""
    _sign_in(browser, EMAIL, PASSWORD)
    browser.get("/password")
    return browser


def test_after_a_change_only_the_new_password_signs_in(app: Flask, signed_in_owner: Visitor) -> None:
    signed_in_owner.post("/password", {"current": PASSWORD, "new": NEW})

    assert _sign_in(Visitor.anonymous(app), EMAIL, PASSWORD).status_code == 400
    assert _sign_in(Visitor.anonymous(app), EMAIL, NEW).status_code == 302


def test_a_password_change_ends_every_session_but_the_current_one(
    owner: int, signed_in_owner: Visitor, visit: Visit
) -> None:
    other = visit(owner)

    signed_in_owner.post("/password", {"current": PASSWORD, "new": NEW})

    assert (signed_in_owner.get(PAGE).status_code, other.get(PAGE).status_code) == (200, 302)


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"current": WRONG, "new": NEW}, "This is not your current password."),
        ({"current": "", "new": NEW}, "Enter your current password."),
        ({"current": PASSWORD, "new": ""}, "Enter a new password."),
        ({"current": PASSWORD, "new": "eleven char"}, "Use 12 characters or more."),
        ({"current": PASSWORD, "new": "kdj3-fj20-xmw " * 72}, "Use 1,000 characters or fewer."),
        (
            {"current": PASSWORD, "new": "password1234"},
            "This password is too easy to guess: it is made of common words",
        ),
        ({"current": PASSWORD, "new": EMAIL}, "This password is too easy to guess: it contains a name"),
        ({"current": PASSWORD, "new": "Harbor Logistics"}, "This password is too easy to guess: it contains a name"),
        ({}, "Enter your current password."),
    ],
)
def test_an_invalid_form_does_not_change_the_password(
    app: Flask, signed_in_owner: Visitor, form: dict[str, str], sentence: str
) -> None:
    response = signed_in_owner.post("/password", form)

    assert response.status_code == 400
    assert sentence in response.text
    assert _sign_in(Visitor.anonymous(app), EMAIL, PASSWORD).status_code == 302


def test_a_refused_password_form_shows_neither_password(signed_in_owner: Visitor) -> None:
    page = signed_in_owner.post("/password", {"current": WRONG, "new": NEW}).text

    assert WRONG not in page
    assert NEW not in page


def test_a_password_of_12_characters_is_accepted(signed_in_owner: Visitor) -> None:
    assert signed_in_owner.post("/password", {"current": PASSWORD, "new": "kdj3-fj20-xm"}).status_code == 302


def test_after_10_tries_in_15_minutes_the_password_is_not_changed(signed_in_owner: Visitor) -> None:
    tries = [signed_in_owner.post("/password", {"current": WRONG, "new": NEW}).status_code for _ in range(10)]

    assert tries == [400] * 10
    assert signed_in_owner.post("/password", {"current": PASSWORD, "new": NEW}).status_code == 429


@pytest.mark.usefixtures("owner")
def test_only_a_visitor_with_an_ended_session_reads_that_it_ended(app: Flask) -> None:
    stranger = Visitor(app.test_client())
    assert "Your session has ended" in stranger.get("/sign-in?next=/w/harbor/destinations").text
    assert "Your session has ended" not in stranger.get("/sign-in?next=/?").text


@pytest.mark.parametrize("invisible", ["\x00", "\x01", "\x1f", "\x7f", "\x85", "\u200b", "\u202e", "\ufeff", "\u2028"])
def test_an_invisible_character_inside_the_address_is_refused(browser: Visitor, invisible: str) -> None:
    response = _sign_in(browser, EMAIL.replace("@", f"{invisible}@"), PASSWORD)

    assert response.status_code == 400
    assert "The email address contains an invisible character." in response.text


@pytest.mark.parametrize("invisible", ["\x00", "\x7f", "\u200b", "\u202e", "\ufeff"])
@pytest.mark.parametrize("place", ["{1}{0}", "{0}{1}"])
def test_an_invisible_character_around_the_address_is_refused(browser: Visitor, invisible: str, place: str) -> None:
    assert _sign_in(browser, place.format(EMAIL, invisible), PASSWORD).status_code == 400


@pytest.mark.usefixtures("throttled")
@pytest.mark.parametrize(
    "spelled",
    [
        EMAIL,
        EMAIL.upper(),
        f" {EMAIL}",
        f"{EMAIL}\n",
        f"\u2028{EMAIL}\x1f",
        # Not spellings of the address: compatibility forms, a final dot, spaces and marks inside.
        "ｏｗｎｅｒ@example.com",
        "owner＠example.com",
        "ⓞwner@example.com",
        f"{EMAIL}.",
        "owner@example.com\u3002",
        "owner @example.com",
        "owner@ example.com",
        "o\u0301wner@example.com",
        "owner\u034f@example.com",
        "\uff4fwner@example.com",
        '"owner"@example.com',
        "owner+a@example.com",
        "owner\u3164@example.com",
    ],
)
def test_no_spelling_of_a_throttled_address_gets_its_password_checked(browser: Visitor, spelled: str) -> None:
    response = _sign_in(browser, spelled, PASSWORD)

    assert response.status_code in (400, 429)
    assert browser.get(PAGE).status_code == 302


def _post_raw(browser: Visitor, body: str, content_type: str) -> int:
    headers = {"X-CSRFToken": browser.token, "Content-Type": content_type}
    return browser.client.post(
        "/sign-in", data=body.encode(), headers=headers, environ_base={"REMOTE_ADDR": "192.0.2.1"}
    ).status_code


def _multipart(*parts: tuple[str, str]) -> str:
    lines = [f"--x\r\nContent-Disposition: form-data; {about}\r\n\r\n{value}\r\n" for about, value in parts]
    return f"{''.join(lines)}--x--\r\n"


URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
FORMS = [
    pytest.param(f"email=nobody&email={EMAIL}&password={PASSWORD}", URLENCODED, id="repeated, ours last"),
    pytest.param(f"email={EMAIL}&email=nobody&password={PASSWORD}", URLENCODED, id="repeated, ours first"),
    pytest.param(f"email=&email={EMAIL}&password={PASSWORD}", URLENCODED, id="repeated, empty first"),
    pytest.param(f"email%00={EMAIL}&password={PASSWORD}", URLENCODED, id="NUL in the name"),
    pytest.param(f"email={EMAIL}%00&password={PASSWORD}", URLENCODED, id="NUL in the value"),
    pytest.param(f"email={EMAIL}%FF&password={PASSWORD}", URLENCODED, id="not UTF-8"),
    pytest.param(f"password={PASSWORD}", URLENCODED, id="missing"),
    pytest.param(_multipart(('name="email"', EMAIL), ('name="password"', PASSWORD)), MULTIPART, id="multipart"),
    pytest.param(
        _multipart(('name="email"', "nobody"), ('name="email"', EMAIL), ('name="password"', PASSWORD)),
        MULTIPART,
        id="multipart, repeated",
    ),
    pytest.param(
        _multipart(('name="email"; filename="a"', EMAIL), ('name="password"', PASSWORD)), MULTIPART, id="as a file"
    ),
    pytest.param(f'{{"email": "{EMAIL}", "password": "{PASSWORD}"}}', "application/json", id="JSON"),
]


@pytest.mark.usefixtures("throttled")
@pytest.mark.parametrize(("body", "content_type"), FORMS)
def test_no_form_of_a_request_gets_past_the_limit_of_an_account(browser: Visitor, body: str, content_type: str) -> None:
    assert _post_raw(browser, body, content_type) in (400, 429)
    assert browser.get(PAGE).status_code == 302


def test_a_multipart_form_signs_in(browser: Visitor) -> None:
    form = _multipart(('name="email"', EMAIL), ('name="password"', PASSWORD))

    assert _post_raw(browser, form, MULTIPART) == 302


def test_the_sign_in_form_is_shown_to_a_member_while_the_database_is_unavailable(app: Flask, seeded: SeededIds) -> None:
    member = Visitor.signed_in(app, seeded.admin)
    with app.app_context():
        db.session.execute(text("ALTER TABLE sign_ins RENAME TO out_of_reach"))
        db.session.commit()

    response = member.get("/sign-in")

    assert (response.status_code, 'name="password"' in response.text) == (200, True)
