"""Attacks on a public demo: no stranger reaches another visitor's workspace, or any address but the receiver."""

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug.test import TestResponse

from benchmarks.installation.servers import QueueServer
from tests.conftest import _settings
from tests.databases import new_database
from tests.demo.public_demo import RECEIVER, URL, DemoVisitor, get_visit, list_destinations, public_settings
from tests.factories import NOW, SIGNING_SECRET
from tests.outbound.cases import cases
from tests.queue_keys import SECRET_KEY
from webapp import queue
from webapp.application import create_app
from webapp.channels import CHANNELS, check_setting
from webapp.channels.fields import SettingInvalid
from webapp.channels.message import Message
from webapp.demo.receiver.inbox import Arrival
from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.demo.visits.visits import open_inbox
from webapp.environment.demo_hosts import MAIL_HOST, SERVICE_HOSTS, VISITOR_MAIL_DOMAIN, list_hosts
from webapp.extensions import Base, db
from webapp.failures import Code, DeliveryFailed, Protocol
from webapp.models import TEST_EVENT, AlertDelivery, Batch
from webapp.outbound import OutboundClient
from webapp.outbound.policy.allowed_targets import check_url
from webapp.outbound.policy.urls import Origin, Route, read_url
from webapp.settings import read_settings
from webapp.views.demo import public_visits

# What no page shows to anybody but its owner.
CANARY = "CANARY-7f3a9c"

SWITCHED = {"outcome": Scenario.DENIED.value}

# Routes that need no visit, and show or change nothing of one. A receipt link is opened by whoever was given it.
FOR_EVERYBODY = {
    *("GET /healthz", "GET /sign-in", "GET /static/<path:filename>", "POST /demo/start"),
    *("GET /seen/<token>", "POST /seen/<token>"),
}
# Routes that a public demo does not have.
CLOSED = {
    *("POST /sign-in", "POST /sign-out", "GET /password", "POST /password", "GET /metrics", "GET /readyz"),
    *("GET /set-up/<setup_token>", "GET /set-up", "POST /set-up", "POST /set-up/check"),
    *("POST /account/time-zone", "POST /account/browser-time-zone"),
    *("GET /sign-in/provider", "GET /sign-in/callback"),
    *("GET /c/<customer_token>", "POST /c/<customer_token>", "GET /c/<customer_token>/status"),
    *("GET /w/<slug>/members", "GET /w/<slug>/members/<account_id>", "GET /w/<slug>/members/<account_id>/role"),
    *("POST /w/<slug>/members/<account_id>/role", "GET /w/<slug>/members/<account_id>/remove"),
    "POST /w/<slug>/members/<account_id>/remove",
    "POST /w/<slug>/destinations/<destination_id>/links",
    "POST /w/<slug>/destinations/<destination_id>/revoke/<link>",
    *("GET /invitation", "POST /invitation", "POST /invitation/join", "POST /invitation/other-account"),
    "GET /invitation/open/<invitation_token>",
    *("GET /w/<slug>/drills", "POST /w/<slug>/drills", "POST /w/<slug>/drills/off", "POST /w/<slug>/drills/now"),
    *("GET /w/<slug>/drills/batches/<batch>", "POST /w/<slug>/drills/destinations"),
    "POST /w/<slug>/drills/destinations/<destination_id>",
    *("GET /w/<slug>/evidence", "GET /w/<slug>/evidence/destinations.csv", "GET /w/<slug>/evidence/tests.csv"),
    *("GET /w/<slug>/import", "POST /w/<slug>/import", "GET /w/<slug>/export"),
    *("GET /w/<slug>/import/<upload>", "POST /w/<slug>/import/<upload>"),
    *("GET /w/<slug>/members/invitations", "POST /w/<slug>/members/invitations"),
    *("GET /w/<slug>/problems", "GET /w/<slug>/problems/preferences", "POST /w/<slug>/problems/preferences"),
    "POST /w/<slug>/problems/destination",
    "GET /w/<slug>/members/invitations/<invitation>/mail",
    "POST /w/<slug>/members/invitations/<invitation>/renew",
    "POST /w/<slug>/members/invitations/<invitation>/revoke",
    *("GET /demo/panel/reset", "POST /demo/panel/reset", "POST /demo/panel/hosts/<service>"),
    *("GET /account", "GET /account/address", "POST /account/confirmation", "GET /account/confirm/<account_token>"),
    *("GET /account/confirm", "POST /account/confirm", "POST /account/sessions/<session_key>/end"),
    *("POST /account/sessions/end-others", "GET /forgot-password", "POST /forgot-password"),
    *("GET /forgot-password/requested", "GET /reset-password/<reset_token>", "GET /reset-password"),
    "POST /reset-password",
}
# Routes that show or change what belongs to the visitor who asks.
OWN = {
    *("GET /", "GET /broken", "GET /demo/inbox", "GET /demo/inbox/messages", "POST /demo/inbox/clear"),
    *("GET /workspaces", "GET /search", "POST /search", "POST /broken/test", "GET /demo/panel", "POST /demo/end"),
}
# Routes that lead to something by its reference alone.
BY_REFERENCE = {"GET /r/<reference>", "GET /r/<reference>/<delivery_id>"}


WEBHOOKS = f"https://{SERVICE_HOSTS['webhook']}"


# Settings of what asks neither the database nor the queue server.
UNUSED_SERVERS = {
    "SECRET_KEY": SECRET_KEY,
    "ALERTCHECK_CONFIG_KEYS": "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=",
    "DATABASE_URL": "sqlite:////nowhere/x",
    "REDIS_URL": "redis://127.0.0.1:1",
}


def _list_routes() -> list[str]:
    demo = {
        "DEMO_URL": URL,
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": "/nowhere/inboxes",
        "ALERTCHECK_DEMO_RECEIVER_HTTP": RECEIVER,
    }
    rules = create_app(read_settings(UNUSED_SERVERS | demo)).url_map.iter_rules()
    routes = {f"{method} {rule.rule}" for rule in rules for method in rule.methods or () if method in ("GET", "POST")}
    return sorted(routes)


ROUTES = _list_routes()
CLOSED |= {route for route in ROUTES if " /instance" in route}
IN_A_WORKSPACE = [route for route in ROUTES if "/<slug>" in route and route not in CLOSED]


@dataclass(frozen=True)
class Pair:
    """An application with two visitors. target: the names of what belongs to the first one, by parts of a route."""

    app: Flask
    victim: DemoVisitor
    stranger: DemoVisitor
    target: dict[str, str]
    inbox_key: str


@pytest.fixture(scope="module")
def shared_pair(
    request: pytest.FixtureRequest, queue_server: QueueServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pair]:
    directory = tmp_path_factory.mktemp("attacks")
    queue.connect(queue_server.url).flushall()
    with new_database("sqlite", request, directory) as url:
        app = create_app(read_settings(public_settings(_settings(url, queue_server), directory)))
        yield _make_pair(app)
        with app.app_context():
            db.engine.dispose()


@pytest.fixture
def pair(shared_pair: Pair, queue_server: QueueServer) -> Pair:
    """Two visitors whose requests of earlier tests do not count."""
    queue.connect(queue_server.url).flushall()
    return shared_pair


def _make_pair(app: Flask) -> Pair:
    victim, stranger = DemoVisitor.started(app), DemoVisitor.started(app)
    with app.app_context():
        visit = get_visit(victim)
        key, destination = visit.inbox_key, list_destinations(visit)[2]
        inbox = open_inbox(visit)
        inbox.add(
            Arrival(service=Service.WEBHOOK, scenario=Scenario.WORKS, answered=200, accepted=True, body=CANARY), NOW
        )
    home = f"/w/{victim.slug}"
    changed = {"name": CANARY, "address": f"{WEBHOOKS}/{key}/webhook/works", "signing_secret": SIGNING_SECRET}
    assert victim.post(f"{home}/destinations/{destination}/edit", changed).status_code == 302
    assert victim.post(f"{home}/test-all").status_code == 200
    with app.app_context():
        batch = db.session.scalars(select(Batch.id)).one()
        own = AlertDelivery.alert_destination_id == destination
        delivery = db.session.scalars(select(AlertDelivery).where(own).order_by(AlertDelivery.id.desc())).first()
        assert delivery
        target = {
            "slug": victim.slug,
            "destination_id": str(destination),
            "channel_name": "webhook",
            "field": "address",
            "batch": batch,
            "delivery": str(delivery.id),
            "delivery_id": str(delivery.id),
            "reference": str(delivery.reference),
            "customer_token": "t" * 43,
            "setup_token": "t" * 32,
            "link": "1",
            "invitation": "1",
            "invitation_token": "t" * 43,
            "service": "teams",
            "account_id": str(visit.account_id),
            "account_token": "t" * 32,
            "reset_token": "t" * 32,
            "session_key": "0" * 32,
            "upload": "u" * 43,
        }
    assert victim.post(f"/demo/panel/w/{victim.slug}/destinations/{destination}", SWITCHED).status_code == 303
    return Pair(app, victim, stranger, target, key)


def _request(visitor: DemoVisitor, route: str, names: dict[str, str], target: dict[str, str]) -> TestResponse:
    method, _, rule = route.partition(" ")
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda name: names[name[1]], rule)
    form = {
        "name": "Taken over",
        "address": f"{WEBHOOKS}/{'a' * 26}/webhook/works",
        "signing_secret": SIGNING_SECRET,
        "seen": "yes",
        "delivery": target["delivery"],
        "outcome": Scenario.MISSING.value,
    }
    return visitor.get(path) if method == "GET" else visitor.post(path, form)


def _read_all(pair: Pair) -> tuple[object, ...]:
    """Read everything that belongs to the victim."""
    with pair.app.app_context():
        visit = get_visit(pair.victim)
        tables = [table for table in Base.metadata.sorted_tables if "workspace_id" in table.columns]
        rows = [
            [tuple(row) for row in db.session.execute(select(table).where(table.c.workspace_id == visit.workspace_id))]
            for table in tables
        ]
        inbox = open_inbox(visit)
        return json.dumps(rows, default=str), inbox.list_newest(), inbox.switches.list_all()


def _list_secrets(pair: Pair) -> list[str]:
    """Return what only the victim knows."""
    return [CANARY, pair.inbox_key, pair.target["slug"], pair.target["reference"]]


def _shows_nothing_of(pair: Pair, response: TestResponse, *allowed: str) -> bool:
    """Check that a response contains nothing that only the victim knows. allowed: what the request itself contained."""
    secrets = set(_list_secrets(pair)) - set(allowed)
    text = response.get_data(as_text=True) + str(response.headers)
    return not any(secret in text for secret in secrets)


def test_every_route_is_in_one_of_the_lists() -> None:
    assert set(ROUTES) == FOR_EVERYBODY | CLOSED | OWN | BY_REFERENCE | set(IN_A_WORKSPACE)


def test_every_view_that_the_rules_name_exists(pair: Pair) -> None:
    assert (public_visits.CLOSED | public_visits.ADDING) - set(pair.app.view_functions) == set()


@pytest.mark.parametrize("route", sorted(CLOSED))
def test_a_closed_route_does_not_exist_for_anybody(pair: Pair, route: str) -> None:
    visitors = (pair.victim, DemoVisitor.arriving(pair.app))

    assert [_request(visitor, route, pair.target, pair.target).status_code for visitor in visitors] == [404, 404]


def test_the_settings_have_the_audit_trail_alone(pair: Pair) -> None:
    page = pair.victim.get(f"/w/{pair.victim.slug}/audit").text

    assert "/members" not in page
    assert page.count(f'href="/w/{pair.victim.slug}/audit"') == 1  # the tab: a second level of one page is not shown


@pytest.mark.parametrize("route", IN_A_WORKSPACE)
def test_a_stranger_gets_404_for_everything_in_another_workspace(pair: Pair, route: str) -> None:
    before = _read_all(pair)
    response = _request(pair.stranger, route, pair.target, pair.target)
    allowed = {302} if route == "GET /w/<slug>" else {404}

    assert response.status_code in allowed
    assert _shows_nothing_of(pair, response, pair.target["slug"])
    assert _read_all(pair) == before


@pytest.mark.parametrize("route", [route for route in IN_A_WORKSPACE if route.count("<") > 1])
def test_ids_of_another_visitor_lead_nowhere_from_ones_own_workspace(pair: Pair, route: str) -> None:
    before = _read_all(pair)
    response = _request(pair.stranger, route, pair.target | {"slug": pair.stranger.slug}, pair.target)

    assert response.status_code == 404 or "<destination_id>" not in route
    assert _shows_nothing_of(pair, response)
    assert _read_all(pair) == before


@pytest.mark.parametrize("route", IN_A_WORKSPACE)
def test_somebody_without_a_visit_gets_nowhere(pair: Pair, route: str) -> None:
    before = _read_all(pair)
    response = _request(DemoVisitor.arriving(pair.app), route, pair.target, pair.target)

    assert response.status_code == 302
    assert _shows_nothing_of(pair, response, pair.target["slug"])
    assert _read_all(pair) == before


@pytest.mark.parametrize("route", sorted(OWN - {"POST /demo/end"}))
def test_what_belongs_to_the_asking_visitor_shows_and_changes_nothing_of_others(pair: Pair, route: str) -> None:
    before = _read_all(pair)
    response = _request(pair.stranger, route, {}, pair.target)

    assert response.status_code in (200, 302, 303)
    assert _shows_nothing_of(pair, response)
    assert _read_all(pair) == before


def test_ending_ones_own_demo_ends_no_other(pair: Pair) -> None:
    stranger, before = DemoVisitor.started(pair.app), _read_all(pair)
    stranger.post("/demo/end")

    assert _read_all(pair) == before


def test_the_visitor_sees_all_that_the_others_do_not(pair: Pair) -> None:
    """The canaries are there: otherwise the tests above would find nothing anywhere."""
    pages = [
        pair.victim.get(path).text for path in (f"/w/{pair.victim.slug}/destinations", "/demo/inbox", "/demo/panel")
    ]

    assert [CANARY in page for page in pages] == [True, True, True]
    assert pair.inbox_key in pages[2]
    assert "Switched to: 401: access denied" in pages[2]


@pytest.mark.parametrize("route", sorted(BY_REFERENCE))
def test_a_reference_leads_its_own_visitor_only(pair: Pair, route: str) -> None:
    before = _read_all(pair)
    own, other = [_request(visitor, route, pair.target, pair.target) for visitor in (pair.victim, pair.stranger)]

    assert (own.status_code, other.status_code) == (200, 404)
    assert _shows_nothing_of(pair, other, pair.target["reference"])
    assert _request(DemoVisitor.arriving(pair.app), route, pair.target, pair.target).status_code == 302
    assert _read_all(pair) == before


@pytest.mark.parametrize("what", ["name", "slug", "reference", "address", "recipient", "domain"])
def test_a_search_finds_nothing_of_another_visitor(pair: Pair, what: str) -> None:
    texts = {
        "name": CANARY,
        "slug": pair.target["slug"],
        "reference": pair.target["reference"],
        "address": f"{WEBHOOKS}/{pair.inbox_key}/webhook/works",
        "recipient": f"works@{pair.inbox_key}.{VISITOR_MAIL_DOMAIN}",
        "domain": f"{pair.inbox_key}.{VISITOR_MAIL_DOMAIN}",
    }
    form = {"q": texts[what]}
    response = pair.stranger.post("/search", form)

    assert response.status_code == 200
    assert _shows_nothing_of(pair, response, *(secret for secret in _list_secrets(pair) if secret in texts[what]))


@pytest.mark.parametrize("path", ["/demo/sign-in/admin", "/demo/sign-in/viewer", "/demo/visits", "/demo"])
def test_no_account_of_the_private_demo_can_be_signed_in_to(pair: Pair, path: str) -> None:
    assert DemoVisitor.arriving(pair.app).post(path).status_code in (404, 405)


def test_the_inbox_file_of_a_visitor_is_readable_by_its_owner_only(pair: Pair) -> None:
    with pair.app.app_context():
        file = open_inbox(get_visit(pair.victim)).path

    assert (file.stat().st_mode & 0o077, file.parent.name) == (0, "inboxes")
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT count(*) FROM messages").fetchone() == (1,)


# The panel


def test_a_visitor_switches_only_addresses_of_their_own_inbox(pair: Pair) -> None:
    """Even a destination that leads to another inbox, whose key was found out, switches nothing there."""
    stranger, before = pair.stranger, _read_all(pair)
    address = {"name": "Foreign", "address": f"{WEBHOOKS}/{pair.inbox_key}/webhook/works"}
    recipient = {"name": "Foreign", "recipients": f"works@{pair.inbox_key}.{VISITOR_MAIL_DOMAIN}"}
    for channel, form in (("webhook", address), ("email", recipient)):
        assert stranger.post(f"/w/{stranger.slug}/destinations/new/{channel}", form).status_code == 302
    with pair.app.app_context():
        added = list_destinations(get_visit(stranger))[-2:]
    for destination in added:
        path = f"/demo/panel/w/{stranger.slug}/destinations/{destination}"
        assert stranger.post(path, {"outcome": ""}).status_code == 303
        assert stranger.post(path, {"outcome": Scenario.BUSY_TWICE}).status_code == 303
    with pair.app.app_context():
        assert open_inbox(get_visit(stranger)).switches.list_all() == {}

    assert not any(f'id="next-{destination}"' in stranger.get("/demo/panel").text for destination in added)
    assert _read_all(pair) == before


def test_the_panel_offers_a_visitor_their_own_addresses_and_nothing_that_others_share(pair: Pair) -> None:
    page = pair.victim.get("/demo/panel").text

    assert f'value="https://teams.demo.example/{pair.inbox_key}/teams/works?sig=' in page
    assert f'value="works@{pair.inbox_key}.{VISITOR_MAIL_DOMAIN}"' in page
    assert not any(part in page for part in ("/demo/panel/reset", "/demo/panel/hosts/", "127.0.0.1", "oncall."))


def test_a_destination_offers_no_link_for_a_customer(pair: Pair) -> None:
    page = pair.victim.get(f"/w/{pair.target['slug']}/destinations/{pair.target['destination_id']}")

    assert page.status_code == 200
    assert "/links" not in page.text


def test_the_account_menu_ends_the_demo_and_has_no_password(pair: Pair) -> None:
    page = pair.victim.get(f"/w/{pair.victim.slug}/destinations").text

    assert 'action="/demo/end"' in page
    assert not any(part in page for part in ("/sign-out", "/password"))
    assert "This demo ends at <time" in page


# Requests

VIA_PROXY = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}


@pytest.mark.parametrize(
    ("url", "headers", "status"),
    [
        (URL, VIA_PROXY, 200),
        ("https://demo.example.com:8443", VIA_PROXY, 200),
        ("https://other.example.com", VIA_PROXY, 400),
        ("https://127.0.0.1", VIA_PROXY, 400),
        ("http://localhost", VIA_PROXY, 400),
        ("https://demo.example.com.evil.example", VIA_PROXY, 400),
        ("http://demo.example.com", {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "http"}, 403),
        ("http://demo.example.com", {}, 403),
    ],
)
def test_only_requests_over_https_for_the_demos_own_name_are_served(
    pair: Pair, url: str, headers: dict[str, str], status: int
) -> None:
    assert pair.app.test_client().get("/sign-in", base_url=url, headers=headers).status_code == status


@pytest.mark.parametrize(("headers", "status"), [({}, {200, 503}), (VIA_PROXY, {404}), ({"Via": "1.1 x"}, {404})])
def test_readiness_is_shown_on_the_machine_only(pair: Pair, headers: dict[str, str], status: set[int]) -> None:
    response = pair.app.test_client().get("/readyz", base_url="http://127.0.0.1:8000", headers=headers)

    assert response.status_code in status


def test_a_form_of_another_site_is_refused(pair: Pair) -> None:
    visitor = DemoVisitor.arriving(pair.app)

    assert visitor.post("/demo/start", headers={"Origin": "https://evil.example"}).status_code == 400


def test_only_the_start_page_may_be_found_by_search_engines(pair: Pair) -> None:
    pages = ("/sign-in", "/demo/inbox", f"/w/{pair.victim.slug}/destinations", "/nothing", "/seen/x", "/healthz")
    marks = [pair.victim.get(page).headers.get("X-Robots-Tag") for page in pages[1:]]

    assert "X-Robots-Tag" not in DemoVisitor.arriving(pair.app).get(pages[0]).headers
    assert marks == ["noindex, nofollow"] * len(marks)


def test_a_visitor_cannot_submit_forms_without_end(pair: Pair) -> None:
    statuses = [pair.stranger.post("/demo/inbox/clear").status_code for _ in range(61)]

    assert (statuses[:60], statuses[60]) == ([303] * 60, 429)


def test_a_form_is_smaller_than_elsewhere(pair: Pair) -> None:
    response = pair.stranger.post(f"/w/{pair.stranger.slug}/destinations/new/webhook", {"name": "x" * 17_000})

    assert response.status_code == 413


# Where messages may go

HOSTILE_SETTINGS = {
    "ALERTCHECK_TRUSTED_ORIGINS": "http://10.0.0.8:8080, https://intranet.example.com",
    "ALERTCHECK_EXTRA_HOSTS": "teams=*.example.org",
    "ALERTCHECK_ALLOWED_NETWORKS": "*=10.0.0.0/8,*=fd12::/16",
    "ALERTCHECK_EGRESS_PROXY": "http://127.0.0.1:3128",
    "ALERTCHECK_MAIL_URL": "smtp://mail.example.com",
    "ALERTCHECK_MAIL_FROM": "alerts@example.com",
}
OTHER_SPELLINGS = (
    *("http://127.0.0.1", "https://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.2:1", "http://127.1:1"),
    *("http://2130706433:1", "http://0x7f.1:1", "http://0:1", "http://localhost:1", "http://[::1]:1"),
    *("http://[::ffff:127.0.0.1]:1", "http://127.0.0.1:1@evil.example", "http://evil.example#127.0.0.1:1"),
    *("http://127.0.0.1:1\\@evil.example", "http://127.0.0.1:1.evil.example", "http://127.0.0.1%3a1:80"),
    *("http://evil.example/?http://127.0.0.1:1", "ftp://127.0.0.1:1", "file:///etc/passwd", "gopher://127.0.0.1:1"),
    *("http://10.0.0.8:8080", "https://intranet.example.com", "https://flows.example.org", "https://example.com"),
    *(
        "http://teams.demo.example",
        "https://teams.demo.example:444",
        "https://mail.demo.example",
        "https://demo.example",
    ),
    *("https://x.teams.demo.example", "https://teams.demo.example.evil.example", "https://oncall.demo.example"),
    *("https://hooks.slack.com/services/T/B/x", "https://x.webhook.office.com/webhookb2/x", "http://127.0.0.1:6379"),
)
RECIPIENTS = (
    *(
        "ann@example.com",
        f"ann@{VISITOR_MAIL_DOMAIN}",
        f"ann@x{VISITOR_MAIL_DOMAIN}",
        f"ann@k.{VISITOR_MAIL_DOMAIN}.evil.example",
    ),
    *(f"<ann@k.{VISITOR_MAIL_DOMAIN}> ann@example.com", f"ann@k.{VISITOR_MAIL_DOMAIN}, bob@example.com"),
    *(f"ann@example.com\n ann@k.{VISITOR_MAIL_DOMAIN}", f"ann@k.{VISITOR_MAIL_DOMAIN}@example.com"),
    *("postmaster", "root@localhost", "ann@[127.0.0.1]", f"ann@example.com,ann@k.{VISITOR_MAIL_DOMAIN}"),
)
MESSAGE = Message(TEST_EVENT, "msg_1", "K7QM4T", "Harbor", "Desk", "Ann", NOW)


@pytest.fixture(scope="module")
def outbound(tmp_path_factory: pytest.TempPathFactory) -> OutboundClient:
    """The outbound client of a public demo whose administrator trusts all sorts of receivers. It looks up no name."""
    settings = read_settings(public_settings(UNUSED_SERVERS, tmp_path_factory.mktemp("outbound")) | HOSTILE_SETTINGS)
    return replace(settings.outbound_for("harbor"), resolver=_refuse_to_resolve)


def _refuse_to_resolve(*_arguments: Any) -> Any:
    raise AssertionError("a name was looked up")


def _is_receiver(url: str) -> bool:
    try:
        return read_url(url).origin == read_url(RECEIVER).origin
    except DeliveryFailed:
        return False


ATTACKS = [*(case.values[0]["typed"] for case in cases("typed")), *OTHER_SPELLINGS]
ELSEWHERE = [url for url in ATTACKS if not _is_receiver(url)]


def test_nearly_every_attack_leads_elsewhere() -> None:
    assert len(ELSEWHERE) == len(ATTACKS) >= 90


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_other_address_can_be_saved(outbound: OutboundClient, url: str) -> None:
    for channel in (channel for channel in CHANNELS.values() if channel.protocol is Protocol.HTTP):
        with pytest.raises(SettingInvalid):
            check_setting(channel, channel.target_field, url, outbound)


@pytest.mark.parametrize("url", ELSEWHERE)
def test_no_other_address_is_connected_to(outbound: OutboundClient, url: str) -> None:
    with pytest.raises(DeliveryFailed):
        check_url(url, outbound.policy)
    with pytest.raises(DeliveryFailed):
        outbound.post(url, b"{}", {})


@pytest.mark.parametrize("recipients", RECIPIENTS)
def test_no_other_recipient_can_be_saved(outbound: OutboundClient, recipients: str) -> None:
    email = CHANNELS["email"]
    with pytest.raises(SettingInvalid):
        check_setting(email, email.target_field, recipients, outbound)


@pytest.mark.parametrize("recipients", RECIPIENTS)
def test_no_other_recipient_gets_mail(outbound: OutboundClient, recipients: str) -> None:
    with pytest.raises(DeliveryFailed) as caught:
        CHANNELS["email"].send({"recipients": recipients}, MESSAGE, outbound)

    assert caught.value.code is Code.DEMO_RECEIVER_ONLY


def test_a_visitor_has_few_recipients(outbound: OutboundClient) -> None:
    email, own = CHANNELS["email"], [f"desk{number}@k.{VISITOR_MAIL_DOMAIN}" for number in range(6)]

    assert check_setting(email, email.target_field, ", ".join(own[:5]), outbound) == ", ".join(own[:5])
    with pytest.raises(SettingInvalid, match="at most 5"):
        check_setting(email, email.target_field, ", ".join(own), outbound)


def test_mail_goes_to_the_receivers_mail_server_whatever_is_set(outbound: OutboundClient) -> None:
    assert outbound.mail
    assert (outbound.mail.host, outbound.mail.demo_route) == (MAIL_HOST, Route("127.0.0.1", 1))


def test_every_name_of_the_receiver_leads_to_it_alone(outbound: OutboundClient) -> None:
    assert dict(outbound.policy.demo_routes) == {
        Origin("https", host, 443): Route("127.0.0.1", 1) for host in list_hosts()
    }


def test_nothing_goes_through_a_proxy_or_to_a_trusted_origin(outbound: OutboundClient) -> None:
    policy = outbound.policy

    assert (policy.proxy, policy.proxy_authorization, policy.extra_hosts) == (None, None, {})
    assert policy.trusted_origins == {policy.demo_receiver} == {read_url(RECEIVER).origin}
    assert policy.opened_networks == ()


def test_a_redirect_of_the_receiver_is_not_followed(
    environment: dict[str, str], tmp_path: Path, httpserver: HTTPServer
) -> None:
    with HTTPServer() as other:
        other.expect_request("/").respond_with_data("reached")
        httpserver.expect_request("/moved").respond_with_data(status=308, headers={"Location": other.url_for("/")})
        settings = public_settings(environment, tmp_path)
        settings["ALERTCHECK_DEMO_RECEIVER_HTTP"] = httpserver.url_for("").replace("localhost", "127.0.0.1").rstrip("/")
        outbound: OutboundClient = read_settings(settings).outbound
        webhook = {"address": f"{settings['ALERTCHECK_DEMO_RECEIVER_HTTP']}/moved", "signing_secret": SIGNING_SECRET}
        with pytest.raises(DeliveryFailed) as caught:
            CHANNELS["webhook"].send(webhook, MESSAGE, outbound)

        assert (caught.value.code, other.log) == (Code.REDIRECT_REFUSED, [])


@pytest.mark.parametrize("role", ["edit", "new"])
def test_a_visitor_cannot_save_another_address_by_a_form(pair: Pair, role: str) -> None:
    with pair.app.app_context():
        destination = list_destinations(get_visit(pair.stranger))[2]
    path = {"edit": f"{destination}/edit", "new": "new/webhook"}[role]
    form = {"name": "Elsewhere", "address": "https://example.com/x", "signing_secret": SIGNING_SECRET}
    response = pair.stranger.post(f"/w/{pair.stranger.slug}/destinations/{path}", form)

    assert response.status_code == 400
    assert "This is a demo. It sends messages to its own receiver only" in response.text
    assert "Use one of the addresses that your demo panel lists." in response.text
    assert "administrator" not in response.text.partition("This is a demo.")[2].partition("</")[0]


def test_a_public_demo_has_no_real_receivers(environment: dict[str, str], tmp_path: Path) -> None:
    with pytest.raises(Exception, match="ALERTCHECK_DEMO_REAL_RECEIVERS cannot be set together with DEMO_URL"):
        read_settings(public_settings(environment, tmp_path, ALERTCHECK_DEMO_REAL_RECEIVERS="1"))


def test_what_a_visitor_named_is_text_in_the_inbox(pair: Pair) -> None:
    attack = '<script src="https://evil.example/x.js"></script><img src=x>'
    with pair.app.app_context():
        arrival = Arrival(service=Service.WEBHOOK, scenario=Scenario.WORKS, answered=200, accepted=True, body=attack)
        open_inbox(get_visit(pair.stranger)).add(arrival, NOW)
    response = pair.stranger.get("/demo/inbox")

    assert "&lt;script src=" in response.text
    assert "<img src=x" not in response.text
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
