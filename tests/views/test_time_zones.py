"""Times on pages: in the reader's zone where they are evidence, relative elsewhere, in UTC on hover and in files."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, url_for
from sqlalchemy import event

from tests.factories import SeededIds, add_delivery, get_account, get_destination, seconds
from tests.visitor import Visitor
from webapp.app_state import app_state
from webapp.audit import Action, record_destination_event
from webapp.deliveries.attempts.past_attempts import PastAttempt, add_attempt
from webapp.extensions import db
from webapp.models import Account, DeliveryStatus
from webapp.views.time_zones import FORM_PAGE

Visit = Callable[[int], Visitor]

# A test on a day in winter in both of these zones; the pages are read later.
SENT_AT = datetime(2026, 1, 3, 20, 15, 7, tzinfo=UTC)
IN_KATHMANDU, IN_UTC = "2026-01-04 02:00:07", "2026-01-03 20:15:07"

EVIDENCE = [
    *("/w/harbor/history", "/w/harbor/audit", "/w/harbor/destinations/1", "/w/harbor/destinations/1/details"),
    *("/r/K7QM4T", "/r/K7QM4T/1"),
]


@pytest.fixture
def form_page(app: Flask) -> str:
    """The page on which a time zone is chosen."""
    with app.test_request_context():
        return url_for(FORM_PAGE)


def _set_zone(app: Flask, account_id: int, name: str | None) -> None:
    with app.app_context():
        db.session.get_one(Account, account_id).time_zone = name
        db.session.commit()


def _note_statement(
    statements: list[str], _connection: object, _cursor: object, statement: str, *_rest: object
) -> None:
    statements.append(statement)


def _stored(app: Flask, account_id: int) -> str | None:
    with app.app_context():
        return db.session.get_one(Account, account_id).time_zone


@pytest.fixture
def tested(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        attempts = add_attempt((), PastAttempt(1, SENT_AT, 0.2, None, 200))
        facts = {"status": DeliveryStatus.SENT, "sent_at": SENT_AT, "attempts": attempts, "attempt_count": 1}
        reference = {"reference": "K7QM4T"}
        add_delivery(get_destination(seeded), created_at=SENT_AT, payload=reference, **facts)
        record_destination_event(get_destination(seeded), get_account(seeded), Action.DISABLED, SENT_AT)
        db.session.commit()


@pytest.fixture
def admin(app: Flask, seeded: SeededIds, visit: Visit, tested: None) -> Visitor:
    _set_zone(app, seeded.admin, "Asia/Kathmandu")
    return visit(seeded.admin)


def _times(page: str) -> list[str]:
    """Return what the times of a page show."""
    found = re.findall(r"<time[^>]*>.*?</time>|<span data-ago=[^>]*>.*?</span>", page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]+>", "", text)) for text in found]


@pytest.mark.parametrize("path", EVIDENCE)
def test_a_list_that_is_evidence_shows_the_readers_time_and_how_long_ago_it_was(admin: Visitor, path: str) -> None:
    page = admin.get(path).text

    ago = (datetime.now(UTC) - SENT_AT).days
    assert any(re.fullmatch(rf"{IN_KATHMANDU}, {ago} d ago", shown) for shown in _times(page)), _times(page)
    assert IN_UTC not in "".join(_times(page))


@pytest.mark.parametrize("path", [path for path in EVIDENCE if not path.endswith("details")])
def test_a_page_names_the_zone_of_its_times_once(admin: Visitor, path: str) -> None:
    page = admin.get(path).text

    assert re.findall(r"<span data-zone>([^<]*)</span>", page) == ["Asia/Kathmandu, UTC+05:45"]


@pytest.mark.parametrize("path", [*EVIDENCE, "/w/harbor/destinations", "/broken", "/search?q=Ticket"])
def test_hover_and_attributes_are_in_utc(admin: Visitor, path: str) -> None:
    page = admin.get(path).text

    exact = re.findall(r'<time datetime="([^"]+)" data-exact="([^"]+)"', page)
    assert len(exact) == page.count("<time ") - page.count("demo ends")
    assert all(moment.endswith("Z") and shown.endswith(" UTC") for moment, shown in exact)
    assert [moment[:19].replace("T", " ") for moment, _ in exact] == [shown[:-4] for _, shown in exact]
    assert re.findall(r'data-ago="([^"]+)"', page) == re.findall(r'data-ago="(\d{4}-\d\d-\d\d [\d:]{8} UTC)"', page)


@pytest.mark.parametrize("path", ["/w/harbor/destinations", "/broken", "/search?q=Ticket"])
def test_elsewhere_times_are_relative_alone(admin: Visitor, path: str) -> None:
    page = admin.get(path).text

    shown = _times(page)
    assert shown or path.startswith("/search")
    assert [time for time in shown if not re.fullmatch(r"\d+ (s|min|h|d) ago|just now", time)] == []


def test_a_report_is_in_utc(admin: Visitor) -> None:
    report = re.search(r"<textarea.*?</textarea>", admin.get("/w/harbor/destinations/1").text, re.DOTALL)

    assert report
    assert f"{IN_UTC} UTC" in report[0]
    assert (IN_KATHMANDU in report[0], "UTC+" in report[0]) == (False, False)


def test_a_file_is_in_utc(admin: Visitor) -> None:
    assert "2026-01-03T20:15:07.000+00:00" in admin.get("/w/harbor/history.csv").text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("since=2026-01-04", 1),
        ("until=2026-01-03", 0),
        ("since=2026-01-04&until=2026-01-04", 1),
        ("since=2026-01-03&until=2026-01-03", 0),
        ("since=0001-01-01&until=9999-12-31", 1),
    ],
)
def test_the_days_of_the_filter_are_the_readers(admin: Visitor, query: str, count: int) -> None:
    assert admin.get(f"/w/harbor/history?{query}").text.count("<td>Test") == count
    assert admin.get(f"/w/harbor/history.csv?{query}").text.count("2026-01-03T20:15:07") // 3 == count


def test_readers_with_different_zones_see_the_same_row_at_their_own_times(
    app: Flask, seeded: SeededIds, admin: Visitor, visit: Visit
) -> None:
    _set_zone(app, seeded.viewer, "America/New_York")

    texts = ["".join(_times(one.get("/w/harbor/history").text)) for one in (admin, visit(seeded.viewer))]

    assert [IN_KATHMANDU in texts[0], "2026-01-03 15:15:07" in texts[1]] == [True, True]


@pytest.mark.parametrize(
    "name", [None, "Mars/Olympus_Mons", "Etc/Unknown", "Europe", "../../etc/passwd", "\x01", "x" * 64]
)
@pytest.mark.parametrize("path", [*EVIDENCE, "/w/harbor/destinations", "/workspaces"])
def test_without_a_usable_zone_every_page_is_there_in_utc(
    app: Flask, seeded: SeededIds, admin: Visitor, path: str, name: str | None
) -> None:
    _set_zone(app, seeded.admin, name)

    response = admin.get(path)

    assert response.status_code == 200
    assert "data-time-zone" not in response.text
    assert set(re.findall(r"<span data-zone>([^<]*)</span>", response.text)) <= {"UTC"}
    assert all(IN_UTC in response.text for _ in range(path in EVIDENCE))


def test_a_vanished_zone_is_named_where_another_one_is_chosen(
    app: Flask, seeded: SeededIds, admin: Visitor, form_page: str
) -> None:
    _set_zone(app, seeded.admin, "Mars/<b>")

    page = admin.get(form_page).text

    assert "no longer knows the time zone “Mars/&lt;b&gt;”" in page
    assert re.findall(r"<option value=\"([^\"]+)\" selected>", page) == ["Mars/&lt;b&gt;"]


def test_a_planned_test_shows_the_readers_time(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    with app.app_context():
        now = datetime.now(UTC) - seconds(19)
        add_delivery(get_destination(seeded), created_at=now, status=DeliveryStatus.SENT, sent_at=now)

    page = admin.post("/w/harbor/destinations/1/plan").text

    due = re.search(r'sends at <time datetime="([^"]+)"[^>]*>(.*?)</time>', page)
    assert due
    local = datetime.fromisoformat(due[1]).astimezone(ZoneInfo("Asia/Kathmandu"))
    assert due[2] == f'<span data-local="clock">{local:%H:%M:%S} UTC+05:45</span>'


def test_an_open_list_is_sent_again_once_the_zone_was_changed(app: Flask, seeded: SeededIds, admin: Visitor) -> None:
    def version() -> str:
        found = re.search(r'data-version="([^"]+)"', admin.get("/w/harbor/destinations").text)
        assert found
        return found[1]

    before = version()
    _set_zone(app, seeded.admin, "Asia/Tokyo")

    assert version() != before


@pytest.mark.parametrize("path", ["/w/harbor/destinations", "/w/harbor/history", "/w/harbor/destinations/1/status"])
def test_a_zone_costs_no_query(app: Flask, seeded: SeededIds, admin: Visitor, path: str) -> None:
    def count() -> int:
        for drawn in (app_state(app).drawn_rows, app_state(app).drawn_lists, app_state(app).known_destinations):
            drawn.clear()
        with app.app_context():
            statements: list[str] = []
            note = partial(_note_statement, statements)
            event.listen(db.engine, "before_cursor_execute", note)
            admin.get(path)
            event.remove(db.engine, "before_cursor_execute", note)
        return len(statements)

    _set_zone(app, seeded.admin, None)
    without = count()
    _set_zone(app, seeded.admin, "Europe/Berlin")

    assert count() == without > 0


def test_a_browser_is_asked_for_its_zone_until_the_account_has_one(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    viewer = visit(seeded.viewer)
    asked = 'data-report-time-zone="/account/browser-time-zone"'
    assert asked in viewer.get("/w/harbor/destinations").text

    assert viewer.post("/account/browser-time-zone", {"zone": "Asia/Kolkata"}).status_code == 204

    page = viewer.get("/w/harbor/destinations").text
    assert (asked in page, 'data-time-zone="Asia/Kolkata"' in page) == (False, True)
    assert viewer.post("/account/browser-time-zone", {"zone": "Asia/Tokyo"}).status_code == 204
    assert _stored(app, seeded.viewer) == "Asia/Kolkata"


@pytest.mark.parametrize("data", [{}, {"zone": ""}, {"zone": "Etc/Unknown"}, {"zone": "\x00"}, {"zone": "x" * 9000}])
def test_a_browser_with_an_odd_zone_changes_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, data: dict[str, str]
) -> None:
    assert visit(seeded.viewer).post("/account/browser-time-zone", data).status_code == 400
    assert _stored(app, seeded.viewer) is None


def test_a_form_without_javascript_changes_the_zone(
    app: Flask, seeded: SeededIds, admin: Visitor, form_page: str
) -> None:
    page = admin.get(form_page).text
    assert re.findall(r"<option value=\"([^\"]+)\" selected>", page) == ["Asia/Kathmandu"]

    response = admin.post("/account/time-zone", {"zone": "America/Sao_Paulo"})

    assert (response.status_code, response.location) == (303, f"{form_page}#time-zone")
    page = admin.get(form_page).text
    assert re.findall(r"<option value=\"([^\"]+)\" selected>", page) == ["America/Sao_Paulo"]
    assert "Times are now shown in your new time zone." in page
    assert _stored(app, seeded.admin) == "America/Sao_Paulo"


def test_an_old_name_that_a_browser_reported_stays_chosen(
    app: Flask, seeded: SeededIds, admin: Visitor, form_page: str
) -> None:
    _set_zone(app, seeded.admin, "US/Eastern")

    assert re.findall(r"<option value=\"([^\"]+)\" selected>", admin.get(form_page).text) == ["US/Eastern"]


def test_a_form_with_an_odd_zone_says_so_and_changes_nothing(
    app: Flask, seeded: SeededIds, admin: Visitor, form_page: str
) -> None:
    admin.post("/account/time-zone", {"zone": "Mars/Olympus_Mons"})

    assert "Your time zone was not changed." in admin.get(form_page).text
    assert _stored(app, seeded.admin) == "Asia/Kathmandu"


def test_a_page_without_a_sign_in_has_no_zone(app: Flask) -> None:
    page = Visitor.anonymous(app).get("/sign-in").text

    assert ("data-time-zone" in page, "data-report-time-zone" in page) == (False, False)
