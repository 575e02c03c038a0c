"""Access control: every route, for every kind of visitor, with own, missing and foreign objects."""

import math
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from benchmarks.installation.servers import QueueServer
from tests.conftest import _settings
from tests.databases import new_database
from tests.factories import (
    NOW,
    SIGNING_SECRET,
    SeededIds,
    add_customer_link,
    add_delivery,
    add_invitation,
    find_session_key,
    get_account,
    get_destination,
    get_workspace,
    seconds,
    seed_workspaces,
    sign_customer_token,
)
from tests.queue_keys import SECRET_KEY
from tests.visitor import Visitor
from webapp import queue
from webapp.app_state import app_state
from webapp.application import create_app
from webapp.auth.accounts import add_account
from webapp.auth.one_time_tokens import TOKEN_LENGTH, hash_token
from webapp.dashboard.poll_interval import PollBudget
from webapp.destinations.editing import add_destination, delete_destination
from webapp.extensions import db
from webapp.models import AccountLink, AccountLinkKind, DeliveryStatus, SetUp, SignIn
from webapp.receipt_links import ReceiptLinks
from webapp.settings import AppSettings, read_settings

# The expected status of every route. Admin, support and viewer are members of the harbor, the stranger is the admin of
# the clinic, and nobody is a visitor who is not signed in. 302 is the sign-in page for nobody, and the next page for a
# member. The installation is a demo: elsewhere /metrics requires a token. The stranger's own destination has no test
# that could get a receipt. The set-up link is looked up by whoever opens it; /set-up needs a browser that has. There is
# no single sign-on: the routes of one are tried in tests/single_sign_on. What was found in a file that is imported
# belongs to the session that uploaded it.
TABLE = """
                                                       objects of the        missing or deleted    objects of the
                                                       harbor                objects               clinic
                                                       adm sup vie str nob   adm sup vie str nob   adm sup vie str nob

GET  /                                                 302 302 302 302 302
GET  /workspaces                                       200 200 200 200 302
GET  /broken                                           200 200 200 200 302
POST /broken/test                                      200 200 403 200 302
GET  /search                                           200 200 200 200 302
POST /search                                           200 200 200 200 302
GET  /r/<reference>                                    200 200 200 404 302   404 404 404 404 302
GET  /r/<reference>/<delivery_id>                      200 200 200 404 302   404 404 404 404 302
GET  /set-up/<setup_token>                             302 302 302 302 302   404 404 404 404 404
GET  /set-up                                           404 404 404 404 404
POST /set-up                                           404 404 404 404 404
POST /set-up/check                                     204 204 204 204 204
GET  /sign-in                                          302 302 302 302 200
POST /sign-in                                          400 400 400 400 400
GET  /sign-in/provider                                 404 404 404 404 404
GET  /sign-in/callback                                 404 404 404 404 404
GET  /password                                         200 200 200 200 302
POST /password                                         400 400 400 400 302
POST /account/time-zone                                303 303 303 303 302
POST /account/browser-time-zone                        400 400 400 400 302
POST /sign-out                                         302 302 302 302 302
GET  /account                                          200 200 200 200 302
GET  /account/address                                  200 200 200 200 302
POST /account/confirmation                             303 303 303 303 302
GET  /account/confirm/<account_token>                  303 404 404 404 302   404 404 404 404 302
GET  /account/confirm                                  404 404 404 404 302
POST /account/confirm                                  404 404 404 404 302
POST /account/sessions/<session_key>/end               303 404 404 404 302   404 404 404 404 302
POST /account/sessions/end-others                      303 303 303 303 302
GET  /forgot-password                                  404 404 404 404 404
POST /forgot-password                                  404 404 404 404 404
GET  /forgot-password/requested                        404 404 404 404 404
GET  /reset-password/<reset_token>                     303 303 303 303 303   404 404 404 404 404
GET  /reset-password                                   404 404 404 404 404
POST /reset-password                                   404 404 404 404 404
GET  /healthz                                          200 200 200 200 200
GET  /readyz                                           200 200 200 200 200
GET  /metrics                                          200 200 200 200 200
GET  /instance/audit                                   404 404 404 404 302
GET  /instance/audit.csv                               404 404 404 404 302
GET  /static/<path:filename>                           200 200 200 200 200   404 404 404 404 404
GET  /seen/<token>                                     200 200 200 200 200   404 404 404 404 404
POST /seen/<token>                                     200 200 200 200 200   404 404 404 404 404
GET  /c/<customer_token>                               200 200 200 200 200   404 404 404 404 404
GET  /c/<customer_token>/status                        200 200 200 200 200   404 404 404 404 404
POST /c/<customer_token>                               200 200 200 200 200   404 404 404 404 404
GET  /invitation                                       404 404 404 404 404
POST /invitation                                       400 400 400 400 400
POST /invitation/join                                  409 409 409 303 302
POST /invitation/other-account                         303 303 303 303 302
GET  /invitation/open/<invitation_token>               303 303 303 303 303   404 404 404 404 404

GET  /w/<slug>                                         302 302 302 302 302     .   .   .   .   .   302 302 302 302 302
GET  /w/<slug>/destinations                            200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/state                                   200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/test-all                                200 200 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/choose                                  200 200 403 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/choose                                  400 400 403 404 302     .   .   .   .   .   404 404 404 400 302
GET  /w/<slug>/batches/<batch>                         200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/history                                 200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/history.csv                             200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/problems                                200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/problems/preferences                    200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/problems/preferences                    400 400 400 404 302     .   .   .   .   .   404 404 404 400 302
POST /w/<slug>/problems/destination                    400 403 403 404 302     .   .   .   .   .   404 404 404 400 302
GET  /w/<slug>/drills                                  200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/drills                                  400 403 403 404 302     .   .   .   .   .   404 404 404 400 302
POST /w/<slug>/drills/off                              303 403 403 404 302     .   .   .   .   .   404 404 404 303 302
POST /w/<slug>/drills/now                              200 200 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/drills/batches/<batch>                  200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/drills/destinations                     400 403 403 404 302     .   .   .   .   .   404 404 404 400 302
POST /w/<slug>/drills/destinations/<destination_id>    303 403 403 404 302   404 403 403 404 302   404 404 404 303 302
GET  /w/<slug>/evidence                                 200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/evidence/destinations.csv                200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/evidence/tests.csv                       200 200 200 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/audit                                   200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/audit.csv                               200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/import                                  200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/import                                  303 403 403 404 302     .   .   .   .   .   404 404 404 303 302
GET  /w/<slug>/import/<upload>                         410 403 403 404 302   404 403 403 404 302   404 404 404 410 302
POST /w/<slug>/import/<upload>                         410 403 403 404 302   404 403 403 404 302   404 404 404 410 302
GET  /w/<slug>/export                                  200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/members                                200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/members/<account_id>                   200 403 403 404 302   404 403 403 404 302   404 404 404 200 302
GET  /w/<slug>/members/<account_id>/role              400 403 403 404 302   404 403 403 404 302   404 404 404 400 302
POST /w/<slug>/members/<account_id>/role              303 403 403 404 302   404 403 403 404 302   404 404 404 409 302
GET  /w/<slug>/members/<account_id>/remove            200 403 403 404 302   404 403 403 404 302   404 404 404 200 302
POST /w/<slug>/members/<account_id>/remove            303 403 403 404 302   404 403 403 404 302   404 404 404 409 302
GET  /w/<slug>/members/invitations                     200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
POST /w/<slug>/members/invitations                     200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/members/invitations/<invitation>/mail   200 403 403 404 302   404 403 403 404 302   404 404 404 404 302
POST /w/<slug>/members/invitations/<invitation>/renew  200 403 403 404 302   404 403 403 404 302   404 404 404 404 302
POST /w/<slug>/members/invitations/<invitation>/revoke 303 403 403 404 302   404 403 403 404 302   404 404 404 404 302
GET  /w/<slug>/destinations/new                        200 403 403 404 302     .   .   .   .   .   404 404 404 200 302
GET  /w/<slug>/destinations/new/<channel_name>         200 403 403 404 302   404 403 403 404 302   404 404 404 200 302
POST /w/<slug>/destinations/new/<channel_name>         302 403 403 404 302   404 403 403 404 302   404 404 404 302 302
POST /w/<slug>/destinations/new/<channel_name>/check   204 403 403 404 302   404 403 403 404 302   404 404 404 204 302
POST /w/<slug>/destinations/new/<channel_name>/new-<field> 404 403 403 404 302 404 403 403 404 302 404 404 404 404 302
POST /w/<slug>/destinations/new/<channel_name>/check/<field> 200 403 403 404 302 404 403 403 404 302 404 404 404 200 302

GET  /w/<slug>/destinations/<destination_id>           200 200 200 404 302   404 404 404 404 302   404 404 404 200 302
GET  /w/<slug>/destinations/<destination_id>/status    200 200 200 404 302   404 404 404 404 302   404 404 404 200 302
GET  /w/<slug>/destinations/<destination_id>/details   200 200 200 404 302   404 404 404 404 302   404 404 404 200 302
GET  /w/<slug>/destinations/<destination_id>/preview   200 200 200 404 302   404 404 404 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/test      200 200 403 404 302   404 404 404 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/plan      200 200 403 404 302   404 404 404 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/plan/cancel 409 409 403 404 302 404 404 404 404 302   404 404 404 409 302
GET  /w/<slug>/destinations/<destination_id>/watch     200 200 200 404 302   404 404 404 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/receipt   200 200 403 404 302   404 404 404 404 302   404 404 404 404 302
POST /w/<slug>/destinations/<destination_id>/check     204 403 403 404 302   404 403 403 404 302   404 404 404 204 302
POST /w/<slug>/destinations/<destination_id>/links     200 200 403 404 302   404 404 404 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/revoke/<link> 303 403 403 404 302 404 404 404 404 302 404 404 404 404 302
POST /w/<slug>/destinations/<destination_id>/check/<field> 200 403 403 404 302 404 403 403 404 302 404 404 404 200 302
GET  /w/<slug>/destinations/<destination_id>/edit      200 403 403 404 302   404 403 403 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/edit      302 403 403 404 302   404 403 403 404 302   404 404 404 302 302
POST /w/<slug>/destinations/<destination_id>/suggestion 302 403 403 404 302  404 403 403 404 302   404 404 404 404 302
POST /w/<slug>/destinations/<destination_id>/enable    302 403 403 404 302   404 403 403 404 302   404 404 404 302 302
POST /w/<slug>/destinations/<destination_id>/disable   302 403 403 404 302   404 403 403 404 302   404 404 404 302 302
GET  /w/<slug>/destinations/<destination_id>/delete    200 403 403 404 302   404 403 403 404 302   404 404 404 200 302
POST /w/<slug>/destinations/<destination_id>/delete    302 403 403 404 302   404 403 403 404 302   404 404 404 302 302

GET  /instance                                         404 404 404 404 302
GET  /instance/mail                                    404 404 404 404 302
POST /instance/mail                                    404 404 404 404 302
GET  /instance/mail-check                              404 404 404 404 302
POST /instance/mail-check                              404 404 404 404 302
GET  /instance/workspaces                              404 404 404 404 302
GET  /instance/workspaces/<slug>                       404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/workspaces/<slug>/rename                404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/workspaces/<slug>/admin                 404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
GET  /instance/workspaces/<slug>/delete                404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/workspaces/<slug>/delete                404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
GET  /instance/add-workspace                           404 404 404 404 302
POST /instance/add-workspace                           404 404 404 404 302
GET  /instance/deleted-workspaces                      404 404 404 404 302
GET  /instance/deleted-workspaces/<slug>/audit         404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
GET  /instance/deleted-workspaces/<slug>/audit.csv     404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
GET  /instance/accounts                                404 404 404 404 302
GET  /instance/accounts/<account_id>                   404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/accounts/<account_id>/disable           404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/accounts/<account_id>/enable            404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/accounts/<account_id>/end-sessions      404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/accounts/<account_id>/reset-link        404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/accounts/<account_id>/unlink            404 404 404 404 302   404 404 404 404 302   404 404 404 404 302
POST /instance/accounts/<account_id>/support-everywhere 404 404 404 404 302  404 404 404 404 302   404 404 404 404 302

POST /demo/sign-in/<role>                              302 302 302 302 302   404 404 404 404 404
GET  /demo/inbox                                       200 200 200 200 302
GET  /demo/inbox/messages                              200 200 200 200 302
POST /demo/inbox/clear                                 303 303 303 303 302
GET  /demo/panel                                       200 200 200 200 302
POST /demo/panel/w/<slug>/destinations/<destination_id> 303 303 303 404 302  404 404 404 404 302   404 404 404 303 302
POST /demo/panel/hosts/<service>                       303 303 303 303 302   404 404 404 404 302
GET  /demo/panel/reset                                 200 200 200 200 302
POST /demo/panel/reset                                 303 303 303 303 302
"""

Visit = Callable[[int], Visitor]
Share = Callable[[str], tuple[Flask, SeededIds]]

WHO = ("admin", "support", "viewer", "stranger", "nobody")

CUSTOMER_TOKEN = sign_customer_token(SECRET_KEY)
SETUP_TOKEN = "s" * 32

# A second session of the admin, and how the account page names it.
SESSION_ID = "s" * 43
ADMINS_SESSION = find_session_key(SECRET_KEY, SESSION_ID)

HARBOR = {
    "slug": "harbor",
    "destination_id": "1",
    "channel_name": "webhook",
    "role": "admin",
    "filename": "app.css",
    "batch": "0f",
    "token": ReceiptLinks(SECRET_KEY, None).sign(1, "K7QM4T"),
    "field": "address",
    "reference": "K7QM4T",
    "delivery_id": "1",
    "link": "1",
    "customer_token": CUSTOMER_TOKEN,
    "setup_token": SETUP_TOKEN,
    "service": "teams",
    "account_id": "3",
    "account_token": "c" * TOKEN_LENGTH,
    "reset_token": "r" * TOKEN_LENGTH,
    "session_key": ADMINS_SESSION,
    "invitation": "1",
    "invitation_token": "i" * TOKEN_LENGTH,
    "upload": "u" * 43,
}
CLINIC = HARBOR | {"slug": "clinic", "destination_id": "2", "account_id": "4"}
INVALID = HARBOR | {
    "account_id": "999999",
    "channel_name": "pigeon",
    "service": "email",
    "role": "owner",
    "filename": "none.css",
    "token": "WzEsIks3UU00VCJd.x",
    "reference": "ZZZZZZ",
    "customer_token": sign_customer_token("another key"),
    "setup_token": SETUP_TOKEN.swapcase(),
    "account_token": "x" * TOKEN_LENGTH,
    "reset_token": "c" * TOKEN_LENGTH,
    "session_key": "0" * 32,
    "invitation": "999999",
    "invitation_token": "u" * TOKEN_LENGTH,
    "upload": "x",
}
MISSING = {
    "foreign": INVALID | {"destination_id": "2", "account_id": "4"},
    "deleted": INVALID | {"destination_id": "3", "account_id": "5"},
    "unknown": INVALID | {"destination_id": "999999", "account_id": "999999"},
}
# Responds to an admin of the workspace with the form of a new destination, if the edited one was deleted meanwhile.
KEEPS_WHAT_WAS_TYPED = "POST /w/<slug>/destinations/<destination_id>/edit"
GARBAGE = ("0", "-1", "01x", "1.0", "1e0", "abc", "9" * 40, "٣", "%D9%A3", "1%20", "%00", "%F0%9F%94%94", "..;", "null")

# Sent with every POST, so that none is refused because of a missing field.
FORM = {
    "name": "A name",
    "address": "https://hooks.example.com/x",
    "signing_secret": SIGNING_SECRET,
    "seen": "yes",
    "delivery": "1",
    "hours": "4",
    "certificate": "expired",
    "role": "support",
    "confirmed": "yes",
    "invitation": HARBOR["invitation_token"],
    "choice": "skip",
    "text": "receivers: [{name: ops, webhook_configs: [{url: https://hooks.example.com/x}]}]",
}


@dataclass(frozen=True)
class Row:
    """A line of the table: the status that each visitor gets, for each group of objects; empty: no such group."""

    method: str
    rule: str
    harbor: dict[str, int]
    missing: dict[str, int]
    clinic: dict[str, int]

    @classmethod
    def read(cls, line: str) -> "Row":
        method, rule, *cells = line.split()
        return cls(method, rule, _by_visitor(cells[:5]), _by_visitor(cells[5:10]), _by_visitor(cells[10:]))

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"

    def path(self, place: dict[str, str]) -> str:
        return re.sub(r"<(?:\w+:)?(\w+)>", lambda name: place[name[1]], self.rule)

    def expect(self, who: str) -> dict[str, int]:
        """Return the expected status of every path, starting with the paths that change nothing."""
        missing = {self.path(place): self.missing[who] for place in MISSING.values() if self.missing}
        clinic = {self.path(CLINIC): self.clinic[who]} if self.clinic else {}
        return missing | clinic | {self.path(HARBOR): self.harbor[who]}


def _by_visitor(cells: list[str]) -> dict[str, int]:
    return {who: int(cell) for who, cell in zip(WHO, cells, strict=False) if cell != "."}


ROWS = [Row.read(line) for line in TABLE.splitlines() if line.startswith(("GET", "POST"))]
OF_AN_OBJECT = [row for row in ROWS if "<destination_id>" in row.rule or "<account_id>" in row.rule]
INSIDE_A_WORKSPACE = [row for row in ROWS if row.rule.startswith("/w/<slug>/")]
# A receipt link and a customer's link need no CSRF token, because their own tokens cannot be forged.
POSTS = [row for row in ROWS if row.method == "POST" and "token>" not in row.rule]


# Seconds after which the rows are made anew: some are valid for minutes only.
AGE_LIMIT = 60


@dataclass
class Start:
    """An application with its rows, and what to put back before each test: a copy of its database, and the queue."""

    app: Flask
    seeded: SeededIds
    directory: Path
    rows: sqlite3.Connection
    made_at: float

    def put_back(self) -> None:
        """Undo all that the tests before did."""
        with closing(sqlite3.connect(self.directory / "alertcheck.sqlite")) as database:
            self.rows.backup(database)
        for file in self.directory.glob("inbox.sqlite*"):
            file.unlink()
        with self.app.app_context():
            app_state(self.app).redis.flushall()
            queue.record_heartbeat("host:1")


@pytest.fixture(scope="module")
def starts(
    request: pytest.FixtureRequest, queue_server: QueueServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], Start]]:
    """Return the application for a test, which most tests of this module share."""
    with ExitStack() as stack:
        made: list[Start] = []

        def find() -> Start:
            if not made or monotonic() - made[-1].made_at > AGE_LIMIT:
                directory = tmp_path_factory.mktemp("routes")
                url = stack.enter_context(new_database("sqlite", request, directory))
                made.append(_make_start(directory, _settings(url, queue_server)))
                stack.callback(made[-1].rows.close)
            return made[-1]

        yield find


def _make_start(directory: Path, settings: dict[str, str]) -> Start:
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_REAL_RECEIVERS": "1",
        "ALERTCHECK_DEMO_INBOX": str(directory / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
    }
    app_settings = read_settings(settings | demo)
    app = create_app(app_settings)
    app_state(app).poll_budget = PollBudget(budget=math.inf)
    with app.app_context():
        seeded = seed_workspaces(app_settings, "https://example.com")
        _add_more(seeded, app_settings)
        db.session.remove()
        db.engine.dispose()
    rows = sqlite3.connect(":memory:")
    with closing(sqlite3.connect(directory / "alertcheck.sqlite")) as database:
        database.backup(rows)
    return Start(app, seeded, directory, rows, monotonic())


@pytest.fixture
def start(starts: Callable[[], Start]) -> Iterator[Start]:
    start = starts()
    start.put_back()
    yield start
    with start.app.app_context():
        db.engine.dispose()


@pytest.fixture
def app(start: Start) -> Flask:
    return start.app


@pytest.fixture
def seeded(start: Start) -> SeededIds:
    return start.seeded


def _add_more(seeded: SeededIds, app_settings: AppSettings) -> None:
    """Add a test and a deleted destination of the harbor, links, a session, an invitation and a demo account."""
    harbor, admin = get_workspace(seeded), get_account(seeded)
    deleted = add_destination(harbor, admin, "webhook", "Old system", FORM, app_settings.cipher, NOW)
    delete_destination(deleted, admin, NOW)
    pressed_at = datetime.now(UTC) - seconds(120)
    facts = {"status": DeliveryStatus.SENT, "sent_at": pressed_at, "payload": {"reference": "K7QM4T"}}
    add_delivery(get_destination(seeded), created_at=pressed_at, **facts)
    add_customer_link(seeded, CUSTOMER_TOKEN, seeded.admin, datetime.now(UTC))
    works = {"token_hash": hash_token(SETUP_TOKEN, "set-up link"), "expires_at": datetime.now(UTC) + seconds(3600)}
    db.session.execute(update(SetUp).values(works))
    add_account_links(seeded.admin)
    db.session.add(SignIn(id=SESSION_ID, account_id=seeded.admin, started_at=datetime.now(UTC)))
    add_invitation(seeded, HARBOR["invitation_token"], datetime.now(UTC))
    add_account("admin@demo.invalid", "Demo admin", None, NOW)
    db.session.commit()


def add_account_links(account_id: int) -> None:
    """Add the links whose tokens the table uses."""
    now = datetime.now(UTC)
    for kind in AccountLinkKind:
        token_hash = hash_token(
            HARBOR["reset_token" if kind is AccountLinkKind.RESET else "account_token"], f"account link {kind.value}"
        )
        db.session.add(
            AccountLink(
                account_id=account_id, kind=kind, token_hash=token_hash, created_at=now, expires_at=now + seconds(600)
            )
        )


@pytest.fixture
def visitor(app: Flask, seeded: SeededIds, who: str) -> Visitor:
    return Visitor.anonymous(app) if who == "nobody" else Visitor.signed_in(app, asdict(seeded)[who])


def _request(visitor: Visitor, method: str, path: str) -> TestResponse:
    response = visitor.get(path) if method == "GET" else visitor.post(path, FORM)
    response.close()  # a static file stays open until then
    return response


def _without_token(response: TestResponse) -> tuple[object, ...]:
    """Return a response without its CSRF tokens and the requested address."""
    headers = [pair for pair in response.headers if pair[0] not in ("Set-Cookie", "Content-Length", "Location")]
    body = re.sub(r'name="csrf_token"[^>]*value="[^"]+"|"X-CSRFToken": "[^"]+"', "", response.text)
    return response.status_code, headers, re.sub(r"/sign-in\?next=[^\"<]*", "/sign-in", body)


def test_every_route_has_a_line_in_the_table(app: Flask) -> None:
    routes = [f"{method} {rule.rule}" for rule in app.url_map.iter_rules() for method in rule.methods or ()]

    assert sorted(route for route in routes if route.startswith(("GET", "POST"))) == sorted(map(str, ROWS))


def test_no_route_takes_another_method(app: Flask) -> None:
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()}

    assert methods == {"GET", "HEAD", "OPTIONS", "POST"}


@pytest.mark.parametrize("who", WHO)
@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_route_responds_with_the_status_in_the_table(visitor: Visitor, row: Row, who: str) -> None:
    expected = row.expect(who)

    assert {path: _request(visitor, row.method, path).status_code for path in expected} == expected


@pytest.mark.parametrize("who", ["admin", "viewer", "stranger", "nobody"])
@pytest.mark.parametrize("row", OF_AN_OBJECT, ids=str)
def test_foreign_unknown_deleted_and_garbage_ids_get_the_same_response(visitor: Visitor, row: Row, who: str) -> None:
    places = [*MISSING.values(), *(HARBOR | {"destination_id": garbage, "account_id": garbage} for garbage in GARBAGE)]
    if (who, str(row)) == ("admin", KEEPS_WHAT_WAS_TYPED):
        places.remove(MISSING["deleted"])

    responses = [_without_token(_request(visitor, row.method, row.path(place))) for place in places]

    assert [response for response in responses if response != responses[0]] == []


@pytest.mark.parametrize("row", INSIDE_A_WORKSPACE, ids=str)
def test_a_foreign_and_an_unknown_workspace_get_the_same_response(seeded: SeededIds, visit: Visit, row: Row) -> None:
    visitor = visit(seeded.admin)
    slugs = ["clinic", "nowhere", "Clinic", "%63linic%20", "%E2%98%83", "c" * 300]

    responses = [_without_token(_request(visitor, row.method, row.path(CLINIC | {"slug": slug}))) for slug in slugs]

    assert [response for response in responses if response != responses[0]] == []


def test_an_id_of_any_length_is_not_found(seeded: SeededIds, visit: Visit) -> None:
    digits = "9" * 5000  # Python refuses to read a number of more than 4,300

    assert visit(seeded.admin).get(f"/w/harbor/destinations/{digits}").status_code == 404


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
@pytest.mark.parametrize("path", ["/w/harbor%00/destinations", "/w/harbor/destinations/1%00"])
def test_a_nul_in_an_address_is_not_found(shared: Share, kind: str, path: str) -> None:
    app, seeded = shared(kind)

    # PostgreSQL takes no text with a NUL in it.
    assert Visitor.signed_in(app, seeded.admin).get(path).status_code == 404


@pytest.mark.parametrize("row", POSTS, ids=str)
def test_a_post_without_a_valid_csrf_token_is_refused(seeded: SeededIds, visit: Visit, row: Row) -> None:
    visitor = visit(seeded.admin)
    tokens = [{}, {"X-CSRFToken": ""}, {"X-CSRFToken": "forged"}, {"X-CSRFToken": visitor.token[::-1]}]

    responses = [visitor.client.post(row.path(HARBOR), data=FORM, headers=token) for token in tokens]

    assert [response.status_code for response in responses] == [400] * len(tokens)
