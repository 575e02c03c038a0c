"""A visit begins with a press, shows a small demo, and ends after two hours or sooner."""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import pytest
from flask import Flask
from sqlalchemy import select, update

from tests.demo.public_demo import DemoVisitor, get_visit, list_destinations
from tests.factories import on_both_databases
from webapp.app_state import current_settings
from webapp.channels import CHANNELS
from webapp.demo import seed
from webapp.demo.address_update import update_addresses
from webapp.demo.seed_plan import VISITOR_WORKSPACE
from webapp.demo.visits import visits
from webapp.destinations.editing import read_settings
from webapp.extensions import db
from webapp.models import AlertDestination, DemoVisit, Member, SignIn, Workspace, database_clock
from webapp.settings import VISIT_TIME

WEBHOOK = {
    "name": "Another",
    "address": "https://hooks.demo.example/webhook/works",
    "signing_secret": "whsec_" + "QUJD" * 11,
}


def _count_visits() -> int:
    return len(db.session.scalars(select(DemoVisit)).all())


def _read_addresses(visit: DemoVisit) -> list[str]:
    """Return the address, the server or the recipients of each of a visit's destinations."""
    rows = [db.session.get_one(AlertDestination, row) for row in list_destinations(visit)]
    settings = [read_settings(row, current_settings().cipher) for row in rows]
    return [each[CHANNELS[row.type].target_field.name] for row, each in zip(rows, settings, strict=True)]


def _shift(visit: DemoVisit, by: timedelta) -> None:
    """Let a visit have begun earlier."""
    row = DemoVisit.workspace_id == visit.workspace_id
    times = {DemoVisit.started_at: visit.started_at - by, DemoVisit.ends_at: visit.ends_at - by}
    db.session.execute(update(DemoVisit).where(row).values(times))
    begun = db.session.scalars(select(SignIn.started_at).where(SignIn.account_id == visit.account_id)).one()
    own = SignIn.account_id == visit.account_id
    db.session.execute(update(SignIn).where(own).values(started_at=begun - by))
    db.session.commit()


@pytest.mark.parametrize("path", ["/", "/sign-in", "/demo/inbox", "/w/demo-1/destinations", "/seen/x", "/demo/start"])
def test_a_page_that_is_only_looked_at_starts_no_visit(app: Flask, path: str) -> None:
    DemoVisitor.arriving(app).get(path)

    with app.app_context():
        assert _count_visits() == 0
        assert db.session.scalars(select(Workspace)).all() == []


@on_both_databases
def test_a_press_starts_a_visit_with_the_planned_destinations(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    page = visitor.get("/", follow_redirects=True).text

    with app.app_context():
        visit = get_visit(visitor)
        names = db.session.scalars(select(AlertDestination.name).order_by(AlertDestination.id)).all()
        assert names == [plan.name for plan in VISITOR_WORKSPACE[1]]
        assert visit.ends_at - visit.started_at == VISIT_TIME
        assert visits.open_inbox(visit).exists()
    assert all(name in page for name in names)
    assert "This demo ends at <time" in page


def test_the_session_cookie_is_sent_over_https_only(app: Flask) -> None:
    cookie = DemoVisitor.arriving(app).start().headers["Set-Cookie"]

    assert cookie.startswith("__Host-session=")
    assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))


def test_a_second_press_leads_to_the_same_visit_and_extends_nothing(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    with app.app_context():
        ends_at = get_visit(visitor).ends_at
    visitor.start()

    with app.app_context():
        assert (get_visit(visitor).ends_at, _count_visits()) == (ends_at, 1)


@on_both_databases
def test_pages_end_two_hours_after_the_start_and_say_so(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    slug = visitor.slug
    with app.app_context():
        _shift(get_visit(visitor), VISIT_TIME - timedelta(minutes=1))
    before = visitor.get(f"/w/{slug}/destinations").status_code
    with app.app_context():
        visit = db.session.scalars(select(DemoVisit)).one()
        _shift(visit, timedelta(minutes=1))
    after = visitor.get(f"/w/{slug}/destinations", follow_redirects=True)

    assert (before, after.request.path) == (200, "/sign-in")
    assert "Your demo has ended." in after.text
    assert "Start a new demo" in after.text


def test_a_press_on_a_page_of_an_ended_visit_leads_to_the_start_page(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    with app.app_context():
        visit = get_visit(visitor)
        press = f"/w/{visitor.slug}/destinations/{list_destinations(visit)[0]}/test"
        _shift(visit, VISIT_TIME)
    fragment = visitor.post(press, headers={"HX-Request": "true"})
    page = visitor.post(press, headers={"Sec-Fetch-Mode": "navigate"}, follow_redirects=True)

    assert (fragment.status_code, fragment.headers["HX-Redirect"].partition("?")[0]) == (401, "/sign-in")
    assert (page.request.path, page.text.count('class="flash" role="status">')) == ("/sign-in", 1)
    assert "Sign in" not in page.text


def test_a_form_of_an_ended_visit_leads_to_the_start_page(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    path = f"/w/{visitor.slug}/destinations/new/webhook"
    with app.app_context():
        _shift(get_visit(visitor), VISIT_TIME)
    page = visitor.post(path, WEBHOOK, follow_redirects=True)

    assert (page.request.path, "Your demo has ended." in page.text) == ("/sign-in", True)
    assert "Another" not in page.text


def test_a_new_visit_can_follow_one_that_has_ended(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    slug = visitor.slug
    with app.app_context():
        _shift(get_visit(visitor), VISIT_TIME)
    visitor.get("/sign-in")

    assert visitor.start().headers["Location"] == "/"
    assert visitor.slug != slug


def test_a_visitor_can_end_the_demo(app: Flask) -> None:
    visitor = DemoVisitor.started(app)
    slug = visitor.slug
    response = visitor.post("/demo/end", follow_redirects=True)

    assert (response.request.path, visitor.get(f"/w/{slug}/destinations").status_code) == ("/sign-in", 302)
    with app.app_context():
        assert db.session.scalars(select(DemoVisit)).one().ends_at <= database_clock.now()
        assert db.session.scalars(select(SignIn)).all() == []


def test_a_start_that_fails_takes_no_place(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(visits, "fill_workspace", fail)
    with app.app_context():
        now = database_clock.now()
        with pytest.raises(RuntimeError):
            visits.start_visit("203.0.113.7", now)

        assert db.session.scalars(select(DemoVisit.ends_at)).one() == now


def test_no_address_of_a_visitor_is_stored(app: Flask) -> None:
    DemoVisitor.started(app, "203.0.113.77")

    with app.app_context():
        rows = [tuple(row) for row in db.session.execute(select(*DemoVisit.__table__.columns))]
    assert "203.0.113" not in repr(rows)


@on_both_databases
def test_a_workspace_has_a_limited_number_of_destinations(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = len(VISITOR_WORKSPACE[1])
    monkeypatch.setattr(visits, "MAX_DESTINATIONS", planned + 1)
    visitor = DemoVisitor.started(app)
    path = f"/w/{visitor.slug}/destinations/new/webhook"

    assert [visitor.post(path, WEBHOOK).status_code for _ in range(2)] == [302, 409]
    with app.app_context():
        assert len(list_destinations(get_visit(visitor))) == planned + 1


def test_deleted_destinations_count_for_the_larger_limit(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visits, "MAX_DESTINATIONS_MADE", len(VISITOR_WORKSPACE[1]))
    visitor = DemoVisitor.started(app)
    with app.app_context():
        destination = list_destinations(get_visit(visitor))[0]
    visitor.post(f"/w/{visitor.slug}/destinations/{destination}/delete")

    assert visitor.get(f"/w/{visitor.slug}/destinations/new").status_code == 409


@on_both_databases
def test_a_restart_with_another_port_updates_the_addresses_of_visitors(app: Flask, now: datetime) -> None:
    visitor = DemoVisitor.started(app)

    with app.app_context():
        assert seed.seed_demo(now) == "0 addresses updated"
        assert get_visit(visitor)


def test_a_later_port_or_name_of_the_receiver_leaves_the_key_in_a_visitors_addresses(app: Flask) -> None:
    visitor = DemoVisitor.started(app)

    with app.app_context():
        visit, app_settings = get_visit(visitor), current_settings()
        before = _read_addresses(visit)
        without_names = replace(visits.get_public_demo(), has_names=False)
        update_addresses(app_settings, without_names)
        moved = _read_addresses(visit)
        update_addresses(app_settings, visits.get_public_demo())

        assert [urlsplit(address).path for address in moved] == [urlsplit(address).path for address in before]
        assert all(visit.inbox_key in address for address in moved)
        assert _read_addresses(visit) == before != moved


def test_the_command_adds_nothing_to_an_empty_public_demo(app: Flask, now: datetime) -> None:
    with app.app_context():
        seed.seed_demo(now)

        assert db.session.scalars(select(Workspace)).all() == []


def test_the_data_of_a_private_demo_is_not_opened_to_the_internet(app: Flask, now: datetime) -> None:
    with app.app_context():
        db.session.add(Workspace(slug="harbor", name="Harbor", created_at=now))
        db.session.commit()
        with pytest.raises(Exception, match="DATA_DIR of its own"):
            seed.seed_demo(now)


def test_a_visitor_is_the_only_member_of_the_workspace(app: Flask) -> None:
    DemoVisitor.started(app)
    DemoVisitor.started(app)

    with app.app_context():
        members = db.session.execute(select(Member.workspace_id, Member.account_id)).all()
        rows = db.session.execute(select(DemoVisit.workspace_id, DemoVisit.account_id)).all()
        assert sorted(map(tuple, members)) == sorted(map(tuple, rows))


@pytest.fixture
def now(app: Flask) -> datetime:
    with app.app_context():
        return database_clock.now()
