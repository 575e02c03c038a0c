"""Every route, with parameters that no page of ours sends: none ends in a server error or shows a foreign object."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import update
from werkzeug.test import TestResponse

from tests.factories import NOW, SeededIds, add_delivery, add_real_alert
from tests.visitor import Visitor
from webapp.audit import COMMAND_LINE
from webapp.auth.accounts import add_account, find_by_email
from webapp.extensions import db, limiter
from webapp.models import Account, AlertDestination, DeliveryStatus
from webapp.workspaces.workspace_changes import open_workspace

Share = Callable[[str], tuple[Flask, SeededIds]]

# What a database, its driver or its schema may refuse is tried on PostgreSQL, which refuses more than SQLite; what only
# a parser or a decoder of ours reads, and what SQLite refuses too, on SQLite.
DATABASES = pytest.mark.parametrize("kind", ["sqlite", "postgres"])
SQLITE = pytest.mark.parametrize("kind", ["sqlite"])

# Values as a client writes them, percent-encoded.
FOR_DATABASES = (
    *("%00", "1%00", "%ed%a0%80", "%ff%fe", "%c3%28", "0", "-1", "-99999999999999999999999999", "9" * 19, "9" * 5000),
    *("a" * 5000, "%", "%27%20OR%20%271%27=%271", "%22%3e%3cscript%3e", "0001-01-01", "9999-12-31"),
    *("0001-01-01T00:00:00.000000Z_1", "9999-12-31T23:59:59.999999Z_9223372036854775807"),
)
FOR_PARSERS = (
    *("%1b", "%0d%0aX-Evil:%201", "%e2%80%a8", "%e2%80%ae", "%d9%a3", "01", "1e5", "%2525", "..%2f..%2f"),
    *("%7b%7b7*7%7d", "null", "harbor", "clinic", "2", "csrf_token"),
)
NASTY = FOR_DATABASES + FOR_PARSERS
REFUSED_BY_SQLITE = (
    *("%00", "9" * 19, "-99999999999999999999999999"),
    "9999-12-31T23:59:59.999999Z_9223372036854775807",
)
PINNED = {"sqlite": FOR_PARSERS + REFUSED_BY_SQLITE, "postgres": FOR_DATABASES}

# What a form of this size may have in each of its fields without being too large.
LONGEST_IN_FORM = 800

# The names of all query parameters and form fields, and some that nothing reads.
PARAMETERS = (
    *("before", "since", "until", "kind", "status", "code", "channel", "destination", "state", "q", "order", "page"),
    *("batch", "seen", "next", "delivery", "name", "address", "signing_secret", "recipients", "email", "password"),
    *("current", "new", "kept", "draft", "drafted", "then", "hours", "test", "missing", "customer"),
    *("shown", "outcome", "role", "confirmed", "tag", "tags", "copy", "all", "do", "id", "text", "row", "duplicate"),
    *("interval", "weekday", "from_hour", "to_hour", "zone", "choice", "may_page", "needs_confirmation", "change"),
    *("changed", "0-address", "confirm_paging", "sending", "recipient", "check", "mail", "gap", "a[]", "", "%00"),
    *("slug", "first", "value", "show", "of", "version", "__proto__"),
)

# Bodies whose type, framing or encoding is not that of a form of ours.
BODIES = (
    (
        "application/x-www-form-urlencoded",
        b"name=%ed%a0%80&name=2&name[]=3&=&&&%00=%00&delivery=9999999999999999999999",
    ),
    ("application/x-www-form-urlencoded; charset=utf-7", b"name=+ADw-&address=%ff"),
    ("application/x-www-form-urlencoded; charset=no-such", b"name=\xff\xfe&seen=yes"),
    ("application/x-www-form-urlencoded", b"&".join([b"a=1"] * 3000)),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nA\xff\x00\r\n--x--\r\n',
    ),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="name"; filename="a"\r\n\r\nA\r\n--x--',
    ),
    ("multipart/form-data; boundary=x", b"--x\r\nno header\r\n\r\nA"),
    (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 1100 + b"--x--\r\n",
    ),
    ("multipart/form-data", b"without a boundary"),
    ("multipart/form-data; boundary=" + "b" * 300, b"a boundary that is too long"),
    ("application/json", b'{"name": ["a", {"b": null}], "csrf_token": 1}'),
    ("application/json", b"{" * 5000),
    ("text/plain; charset=\x01", b"name=A"),
    ("", b"name=A"),
    ("a/b/c;;=;\xff", b"\x00\x01"),
)
# Read before any view, by the same code for each: all of them are tried on some routes, these on the others.
FEW_BODIES = (BODIES[0], BODIES[5], BODIES[10], BODIES[13])
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "\xe9")
FEW_METHODS = ("HEAD", "PUT")
HEADERS = {
    "HX-Request": ("true", "\xff"),
    "HX-Current-URL": ("http://[", "https://example.com/%00\xff", "//"),
    "Sec-Fetch-Mode": ("navigate", ""),
    "Cookie": ("session=%00", "session=eyJhIjoxfQ.x.y", "session=\xff; session=; =", "remember_token=1|x"),
    "Referer": ("https://elsewhere.example/", "\xff"),
    "Origin": ("null", "https://elsewhere.example", "http://[", "http://localhost:x", "\xff"),
    "Sec-Fetch-Site": ("cross-site", "\xff"),
    "Accept-Language": ("*;q=x", "\xff"),
    "Range": ("bytes=-1", "bytes=0-99999999999999999999", "x=y"),
    "If-None-Match": ('"', "*", "\xff"),
    "If-Modified-Since": ("Sat, 99 Nov 99999 25:61:61 GMT", "\xff"),
    "Authorization": ("Basic \xff", "Bearer \xff", "Digest username=", "Basic !!!"),
    "X-CSRFToken": ("", "\xff", "a.b.c"),
    "Host": ("", "a b", "[::1", "localhost:99999999", "\xff", "localhost:x"),
}

# What belongs to each of two workspaces, and must never be shown to the admin of the other one.
OF_HARBOR = ("Harbor Logistics", "Ticket system", "harbor-canary")
OF_CLINIC = ("Mill Street Clinic", "Lab system", "clinic-canary")

# What each browser must not be shown. An instance admin sees the names of workspaces, and nothing that was sent.
FOREIGN = {
    "admin": OF_CLINIC,
    "stranger": OF_HARBOR,
    "nobody": OF_HARBOR + OF_CLINIC,
    "operator": (OF_HARBOR[2], OF_CLINIC[2]),
}


@dataclass(frozen=True)
class Target:
    """An application, and a browser for two admins of different workspaces, for an instance admin and for nobody.

    accounts: the ids of the accounts, by who has a browser.
    """

    app: Flask
    accounts: dict[str, int]
    visitors: dict[str, Visitor]
    events: list[logging.LogRecord]

    def request(self, who: str, method: str, path: str, **arguments: Any) -> TestResponse:
        visitor = self.visitors[who]
        headers = {"X-CSRFToken": visitor.token} | arguments.pop("headers", {})
        response = visitor.client.open(path, method=method, headers=headers, **arguments)
        response.get_data()  # runs a streamed response to its end
        response.close()
        if method == "POST" and response.status_code < 400:
            self._restore(who, response)
        return response

    def check(self, who: str, method: str, path: str, **arguments: Any) -> None:
        """Make the request, and assert what holds for every response."""
        response = self.request(who, method, path, **arguments)
        failed = [record.msg for record in self.events if record.levelno >= logging.ERROR]
        shown = [word for word in FOREIGN[who] if word in response.text]
        assert (response.status_code < 500, failed, shown) == (True, [], []), f"{method} {path} {response.status_code}"

    def _restore(self, who: str, response: TestResponse) -> None:
        """Undo what a POST may have done: a deletion, a new password, a sign-out."""
        with self.app.app_context():
            db.session.execute(update(AlertDestination).values(deleted_at=None, is_enabled=True))
            db.session.execute(update(Account).values(is_active=True))
            db.session.commit()
        if who != "nobody" and "Set-Cookie" in response.headers:
            self.visitors[who] = Visitor.signed_in(self.app, self.accounts[who])


class Collect(logging.Handler):
    """Keeps the records of the application's log."""

    def __init__(self, records: list[logging.LogRecord]) -> None:
        super().__init__()
        self.records = records

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


@pytest.fixture
def target(shared: Share, kind: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    app, seeded = shared(kind)
    monkeypatch.setattr(limiter, "enabled", False)  # its 429 would hide most routes
    _add_deliveries(app, seeded)
    accounts = {"admin": seeded.admin, "stranger": seeded.stranger, "operator": _find_operator(app)}
    visitors = {who: Visitor.signed_in(app, account_id) for who, account_id in accounts.items()}
    target = Target(app, accounts, visitors | {"nobody": Visitor.anonymous(app)}, [])
    handler = Collect(target.events)
    logging.getLogger("webapp").addHandler(handler)
    yield target
    logging.getLogger("webapp").removeHandler(handler)


def _find_operator(app: Flask) -> int:
    """Return the id of an instance admin who is in no workspace. Adds them, and a workspace that they may change."""
    with app.app_context():
        operator = find_by_email("operator@example.com")
        if operator is None:
            operator = add_account("operator@example.com", "Operator", None, NOW)
            operator.is_instance_admin = True
            open_workspace("yard", "Ship yard", NOW, COMMAND_LINE)
            db.session.commit()
        return operator.id


def _add_deliveries(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        for destination_id, word in ((seeded.destination, OF_HARBOR[2]), (seeded.foreign_destination, OF_CLINIC[2])):
            destination = db.session.get_one(AlertDestination, destination_id)
            sent = {"status": DeliveryStatus.SENT, "sent_at": NOW, "payload": {"reference": word}, "batch": "0f"}
            add_delivery(destination, **sent)
            add_real_alert(destination, payload={"title": word})


def _list_routes(app: Flask) -> list[tuple[str, tuple[str, ...], str]]:
    """Return the pattern, the arguments and the method of every route."""
    return [
        (rule.rule, tuple(sorted(rule.arguments)), method)
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
        for method in sorted(rule.methods or ())
        if method in ("GET", "POST") and rule.rule != "/readyz"  # 503 without a worker, as it should be
    ]


FORM = "application/x-www-form-urlencoded"
VALID = {
    "slug": "harbor",
    "destination_id": "1",
    "channel_name": "webhook",
    "field": "name",
    "batch": "0f",
    "account_id": "3",
}
OF_INSTANCE = {"slug": "yard"}
# A field without which no other one of the form is read.
FIRST_FIELDS = {"/instance/add-workspace": "first=nobody&"}


def _fill(rule: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        rule = rule.replace(f"<path:{name}>", value).replace(f"<{name}>", value)
    return rule


def _quote(text: str) -> str:
    return quote(text, safe="")


def _join(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)


def _values(rule: str, arguments: tuple[str, ...], **changed: str) -> dict[str, str]:
    valid = VALID | (OF_INSTANCE if _is_of_instance(rule) else {})
    return {name: changed.get(name, valid.get(name, "x")) for name in arguments}


def _is_of_instance(rule: str) -> bool:
    return rule.startswith("/instance")


def _who(rule: str, otherwise: str = "admin") -> str:
    """Return who may open a route: pages of the installation do not exist for others (`test_instance_routes.py`)."""
    return "operator" if _is_of_instance(rule) else otherwise


# The query parameters that a route reads. The others read the same ones with the same code.
READ = {
    "/sign-in": ("next",),
    "/instance/mail-check": ("page",),
    "/instance/workspaces": ("show",),
    "/instance/accounts": ("show",),
    "/instance/audit": ("of",),
    "/w/<slug>/audit": ("before", "since", "until", "who", "action"),
    "/w/<slug>/audit.csv": ("who", "since"),
    "/workspaces": ("q", "page"),
    "/w/<slug>/members": ("role", "q", "page"),
    "/w/<slug>/destinations": ("state", "gap", "channel", "tag", "q", "order", "page", "batch"),
    "/w/<slug>/destinations/new/<channel_name>": ("copy",),
    "/w/<slug>/choose": ("all", "tag", "gap"),
    "/w/<slug>/drills": ("page", "batch", "all", "changed"),
    "/w/<slug>/history": ("before", "since", "until", "kind", "status", "code", "channel", "destination"),
    "/w/<slug>/history.csv": ("since", "code"),
    "/w/<slug>/evidence": ("from", "to"),
    "/w/<slug>/evidence/tests.csv": ("from", "to"),
}
# The routes on which every value is tried, by the argument, if one function reads it for all routes. `test_routes.py`
# tries ids that are none on each of the others.
READ_ALIKE = {
    "slug": (
        *("/w/<slug>", "/w/<slug>/destinations", "/w/<slug>/history.csv", "/w/<slug>/test-all"),
        *("/instance/workspaces/<slug>", "/instance/deleted-workspaces/<slug>/audit"),
    ),
    "destination_id": (
        "/w/<slug>/destinations/<destination_id>",
        "/w/<slug>/destinations/<destination_id>/status",
        "/w/<slug>/destinations/<destination_id>/test",
        "/w/<slug>/drills/destinations/<destination_id>",
    ),
}
# Routes on which every body and method is tried: a fragment, forms with few and many fields, a file, a button.
EXAMPLES = (
    *("/sign-in", "/password", "/w/<slug>/import", "/w/<slug>/destinations/new/<channel_name>"),
    *("/w/<slug>/destinations/<destination_id>/check", "/w/<slug>/destinations/<destination_id>/test"),
)


def _list_pinned_paths(app: Flask, kind: str) -> Iterator[tuple[str, str, str]]:
    """List who requests which path by which method: each pinned value as each argument."""
    for rule, arguments, method in _list_routes(app):
        for argument in arguments:
            for value in PINNED[kind] if rule in READ_ALIKE.get(argument, (rule,)) else ():
                yield _who(rule), method, _fill(rule, _values(rule, arguments, **{argument: value}))


def _list_pinned_queries(kind: str) -> Iterator[tuple[str, str]]:
    for rule, names in READ.items():
        path = _fill(rule, VALID)
        for name in names:
            yield _who(rule), f"{path}?{name}=1&{name}=%00&{name}[]=2&{name}%00=3&=4&&&%ff=%ff"
            yield from ((_who(rule), f"{path}?{name}={value}") for value in PINNED[kind])


def _list_pinned_forms(app: Flask, kind: str) -> Iterator[tuple[str, str, str]]:
    hashed = ("current", "new", "password")  # a password takes 50 ms
    for rule, arguments, method in _list_routes(app):
        for value in PINNED[kind] if method == "POST" else ():
            form = "&".join(f"{name}={value[:LONGEST_IN_FORM]}" for name in PARAMETERS if name not in hashed)
            yield _who(rule), _fill(rule, _values(rule, arguments)), FIRST_FIELDS.get(rule, "") + form


@DATABASES
def test_no_pinned_value_in_a_path_breaks_a_route(target: Target, kind: str) -> None:
    for who, method, path in _list_pinned_paths(target.app, kind):
        target.check(who, method, path)


@DATABASES
def test_no_pinned_value_in_a_query_breaks_a_route(target: Target, kind: str) -> None:
    for who, path in _list_pinned_queries(kind):
        target.check(who, "GET", path)


@DATABASES
def test_no_pinned_value_in_a_form_breaks_a_route(target: Target, kind: str) -> None:
    for who, path, form in _list_pinned_forms(target.app, kind):
        target.check(who, "POST", path, data=form.encode(), content_type=FORM)


@SQLITE
def test_no_body_breaks_a_route(target: Target) -> None:
    for rule, arguments, method in _list_routes(target.app):
        some = BODIES if rule in EXAMPLES else FEW_BODIES
        for content_type, body in some if method == "POST" else BODIES[:1]:
            path = _fill(rule, _values(rule, arguments))
            target.check(_who(rule), method, path, data=body, headers={"Content-Type": content_type})


@SQLITE
def test_no_method_breaks_a_route(target: Target) -> None:
    for rule, arguments in sorted({(rule, arguments) for rule, arguments, _ in _list_routes(target.app)}):
        for method in METHODS if rule in EXAMPLES else FEW_METHODS:
            target.check(_who(rule, "stranger"), method, _fill(rule, _values(rule, arguments)))


@SQLITE
def test_no_header_breaks_a_route(target: Target) -> None:
    for name, values in HEADERS.items():
        for value in values:
            for path in ("/sign-in", "/w/harbor/destinations", "/w/harbor/destinations/1/test", "/static/app.css"):
                target.check("nobody", "GET", path, headers={name: value})
                target.check("admin", "POST", path, headers={name: value})


STATUSES = {
    "/w/harbor/batches/%00": 404,
    "/w/harbor/batches/-1": 404,
    "/w/harbor/audit?before=-99999999999999999999999999": 404,
    "/w/harbor/audit?before=abc": 404,
    "/w/harbor/audit?before=17": 404,
    "/w/harbor/audit?before=2026-05-04T09:30:00.000000Z_9223372036854775808": 404,
    "/w/harbor/audit?before=2026-05-04T09:30:00.000000Z_9223372036854775807": 200,
    "/w/harbor/audit?who=9223372036854775807&action=%00&since=0001-01-01&until=9999-12-31": 200,
    "/w/harbor/audit?before=": 200,
    "/w/harbor/evidence?from=0001-01-01&to=0001-01-01": 200,
    "/w/harbor/evidence?from=9999-12-31&to=9999-12-31": 200,
    "/w/harbor/evidence?from=0001-01-01&to=9999-12-31": 400,
    "/w/harbor/evidence?from=2026-05-04": 400,
    "/w/harbor/evidence/tests.csv?from=%00&to=x": 400,
    "/w/harbor/evidence/destinations.csv?from=9999-12-31&to=9999-12-31": 200,
    "/w/harbor/history?before=%00": 404,
    "/w/harbor/history?destination=01": 404,
    "/w/harbor/destinations?batch=%00&page=-1": 200,
}


@DATABASES
def test_an_id_that_is_none_is_not_found(target: Target) -> None:
    assert {path: target.request("admin", "GET", path).status_code for path in STATUSES} == STATUSES


_PIECES = st.sampled_from(NASTY) | st.sampled_from(sorted(VALID.values())) | st.text(max_size=20).map(_quote)
_PAIRS = st.lists(st.tuples(st.sampled_from(PARAMETERS) | st.text(max_size=5).map(_quote), _PIECES), max_size=6)


@DATABASES
@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_no_drawn_request_breaks_a_route(target: Target, data: st.DataObject) -> None:
    rule, arguments, method = data.draw(st.sampled_from(_list_routes(target.app)))
    path = _fill(rule, {name: data.draw(st.just(VALID.get(name, "x")) | _PIECES) for name in arguments})
    query, form = (_join(data.draw(_PAIRS)) for _ in ("query", "form"))
    content_type = data.draw(st.just(FORM) | st.sampled_from([content_type for content_type, _ in BODIES]))
    body = {"data": form.encode(), "headers": {"Content-Type": content_type}} if method == "POST" else {}
    target.check(data.draw(st.sampled_from(sorted(target.visitors))), method, f"{path}?{query}", **body)
