"""The page of drills: who may change what, that what is typed is kept, and what a change leads to."""

import re
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import insert, select

from tests.factories import NOW, SeededIds, get_destination
from tests.visitor import Visitor
from webapp.dashboard import drill_page
from webapp.extensions import db
from webapp.models import (
    AlertDelivery,
    AlertDestination,
    AuditEvent,
    DrillChoice,
    DrillInterval,
    DrillNumber,
    DrillSchedule,
)
from webapp.views.drills import OUTDATED

PAGE = "/w/harbor/drills"
TIMES = {
    "interval": "weekly",
    "weekday": ["2", "4"],
    "from_hour": "10",
    "to_hour": "16",
    "zone": "Europe/Berlin",
}

Visit = Callable[[int], Visitor]


def read_schedule(app: Flask) -> DrillSchedule | None:
    with app.app_context():
        return db.session.scalars(select(DrillSchedule)).one_or_none()


def read_events(app: Flask) -> list[tuple[str, str]]:
    with app.app_context():
        return [(event.action, event.changed[-1]) for event in db.session.scalars(select(AuditEvent)) if event.changed]


def test_an_admin_turns_drills_on_and_sees_when_they_run(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    assert "Drills are off" in admin.get(PAGE).text

    response = admin.post(PAGE, TIMES)

    assert (response.status_code, response.location) == (303, PAGE)
    page = admin.get(PAGE).text
    assert "Every week on Tuesday, Thursday, 10:00 to 16:00. Times are in Europe/Berlin" in page
    assert re.search(r"(Tue|Thu) 20\d\d-\d\d-\d\d 1[0-5]:\d\d, <small>in ", page)
    stored = read_schedule(app)
    assert stored is not None
    assert (stored.interval, stored.weekdays, stored.from_hour, stored.to_hour) == (DrillInterval.WEEKLY, "24", 10, 16)


def test_the_message_after_a_change_says_when_drills_run_now(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    for weekday, day in (("2", "Tuesday"), ("3", "Wednesday")):
        admin.post(PAGE, TIMES | {"weekday": [weekday]})
        message = f"Drills are on: weekly on {day}, 10:00 to 16:00, Europe/Berlin."
        assert message in admin.get(PAGE).text
    admin.post(PAGE, TIMES | {"weekday": ["3"]})
    assert "Nothing was changed." in admin.get(PAGE).text


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"interval": "daily"}, "Choose how often drills run."),
        ({"weekday": []}, "Choose at least one weekday."),
        ({"weekday": ["0", "8"]}, "Choose at least one weekday."),
        ({"from_hour": "24"}, "Choose a full hour."),
        ({"to_hour": "0"}, "Choose a full hour."),
        ({"to_hour": "10"}, "The drills would end when they begin. Choose another hour."),
        ({"zone": "Europe/Atlantis"}, "Choose a time zone from the list."),
    ],
)
def test_a_wrong_field_is_named_and_the_others_are_kept(
    app: Flask, seeded: SeededIds, visit: Visit, changed: dict[str, object], error: str
) -> None:
    response = visit(seeded.admin).post(PAGE, TIMES | {"weekday": ["3"]} | changed)

    assert response.status_code == 400
    assert error in response.text
    assert "<title>Error: Drills" in response.text
    assert ('value="3" checked' in response.text) is ("weekday" not in changed)
    assert ('value="Europe/Berlin" selected' in response.text) is ("zone" not in changed)
    assert read_schedule(app) is None


def test_the_time_zone_of_the_visitor_is_offered(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    assert "Choose a time zone</option>" in admin.get(PAGE).text

    admin.post("/account/time-zone", {"zone": "Asia/Tokyo"})

    assert 'value="Asia/Tokyo" selected' in admin.get(PAGE).text


def test_drills_that_are_off_keep_their_times(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    admin.post(PAGE, TIMES)

    assert admin.post(f"{PAGE}/off").status_code == 303

    page = admin.get(PAGE).text
    assert "Drills are off" in page
    assert 'value="4" checked' in page
    assert "The next five weeks" not in page
    assert "Next drill" not in page


@pytest.mark.parametrize("who", ["support", "viewer"])
def test_others_look_and_change_nothing(app: Flask, seeded: SeededIds, visit: Visit, who: str) -> None:
    visitor = visit(getattr(seeded, who))
    page = visitor.get(PAGE).text

    assert "An admin of this workspace can turn drills on." in page
    assert 'name="choice"' not in page
    assert ("Drill now" in page) is (who == "support")
    for path in ("", "/off", "/destinations", f"/destinations/{seeded.destination}"):
        assert visitor.post(f"{PAGE}{path}", TIMES | {"id": seeded.destination, "choice": "skip"}).status_code == 403
    assert read_schedule(app) is None


def test_one_destination_is_changed_in_its_row(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    admin.post(PAGE, TIMES)
    form = {"choice": "skip", "needs_confirmation": "yes"}

    response = admin.post(f"{PAGE}/destinations/{seeded.destination}", form)

    assert response.location == f"{PAGE}?changed={seeded.destination}#drills-{seeded.destination}"
    page = admin.get(response.location).text
    assert "Saved: <bdi>Ticket system</bdi>." in page
    assert "None: it has no drills." in page
    with app.app_context():
        destination = get_destination(seeded)
        assert (destination.drill_choice, destination.needs_confirmation) == (DrillChoice.SKIP, True)


@pytest.mark.parametrize(
    ("shown", "typed", "after"),
    [
        ("follow", {"choice": "follow", "needs_confirmation": "yes"}, (DrillChoice.SKIP, True)),
        ("follow needs_confirmation", {"choice": "weekly"}, (DrillChoice.WEEKLY, False)),
        ("follow", {"choice": "weekly"}, (DrillChoice.WEEKLY, False)),
        ("follow needs_confirmation", {"choice": "weekly", "needs_confirmation": "yes"}, (DrillChoice.WEEKLY, False)),
    ],
)
def test_the_row_of_an_old_page_takes_back_nothing_that_somebody_else_changed(
    app: Flask,
    seeded: SeededIds,
    visit: Visit,
    shown: str,
    typed: dict[str, str],
    after: tuple[DrillChoice, bool],
) -> None:
    row, admin = f"{PAGE}/destinations/{seeded.destination}", visit(seeded.admin)
    admin.post(row, {"choice": "skip"})

    admin.post(row, typed | {"shown": shown})

    with app.app_context():
        destination = get_destination(seeded)
        assert (destination.drill_choice, destination.needs_confirmation) == after


def test_the_row_of_an_old_page_keeps_a_tick_that_somebody_else_has_set(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    row, admin = f"{PAGE}/destinations/{seeded.destination}", visit(seeded.admin)
    admin.post(row, {"choice": "follow", "needs_confirmation": "yes"})

    admin.post(row, {"choice": "weekly", "shown": "follow"})

    with app.app_context():
        destination = get_destination(seeded)
        assert (destination.drill_choice, destination.needs_confirmation) == (DrillChoice.WEEKLY, True)


def test_a_row_names_what_it_shows(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    admin.post(f"{PAGE}/destinations/{seeded.destination}", {"choice": "skip", "needs_confirmation": "yes"})

    assert 'name="shown" value="skip needs_confirmation"' in admin.get(PAGE).text


def test_the_schedule_of_an_old_page_does_not_turn_drills_on_again(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    admin.post(PAGE, TIMES)
    opened = dict(re.findall(r'name="(seen)" value="([^"]+)"', admin.get(PAGE).text))
    admin.post(f"{PAGE}/off")

    response = admin.post(PAGE, TIMES | opened | {"from_hour": "11"})

    assert response.status_code == 409
    assert OUTDATED in response.text
    assert 'name="seen" value="off"' in response.text
    assert re.findall(r'<option value="(\d+)" selected', response.text)[0] == "10"
    stored = read_schedule(app)
    assert stored is not None
    assert (stored.started_at, stored.from_hour) == (None, 10)


def test_a_schedule_that_is_submitted_twice_is_saved(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)

    assert [admin.post(PAGE, TIMES | {"seen": "off"}).status_code for _ in range(2)] == [303, 303]


def test_the_schedule_of_an_old_page_with_an_error_is_still_an_old_one(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    opened = dict(re.findall(r'name="(seen)" value="([^"]+)"', admin.get(PAGE).text))
    admin.post(PAGE, TIMES)
    page = admin.post(PAGE, TIMES | opened | {"weekday": []}).text

    assert re.findall(r'name="seen" value="([^"]+)"', page) == [opened["seen"]] == ["off"]


def test_a_schedule_that_does_not_say_what_it_was_filled_with_can_be_corrected(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.admin).post(PAGE, TIMES | {"weekday": []}).text

    assert re.findall(r'name="seen" value="([^"]+)"', page) == ["off"]


def test_a_webhook_cannot_be_told_to_page(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.admin).post(f"{PAGE}/destinations/{seeded.destination}", {"choice": "follow", "may_page": "yes"})

    with app.app_context():
        assert get_destination(seeded).drills_may_page is False


def test_an_unknown_choice_is_refused(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)

    assert admin.post(f"{PAGE}/destinations/{seeded.destination}", {"choice": "hourly"}).status_code == 400
    assert admin.post(f"{PAGE}/destinations", {"change": "", "id": seeded.destination}).status_code == 400


@pytest.mark.parametrize(
    ("change", "expected"),
    [("quarterly", (DrillChoice.QUARTERLY, False)), ("confirm", (DrillChoice.FOLLOW, True))],
)
def test_the_chosen_ones_are_changed_and_counted(
    app: Flask, seeded: SeededIds, visit: Visit, change: str, expected: tuple[DrillChoice, bool]
) -> None:
    admin = visit(seeded.admin)
    ids = [str(seeded.destination), str(seeded.foreign_destination)]

    response = admin.post(f"{PAGE}/destinations", {"change": change, "id": ids})

    assert "1 destination was changed." in admin.get(response.location).text
    with app.app_context():
        destination = get_destination(seeded)
        assert (destination.drill_choice, destination.needs_confirmation) == expected
        foreign = db.session.get_one(type(destination), seeded.foreign_destination)
        assert (foreign.drill_choice, foreign.needs_confirmation) == (DrillChoice.FOLLOW, False)


def test_nothing_chosen_is_said_and_ticks_are_kept(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)

    response = admin.post(f"{PAGE}/destinations", {"change": "skip"})

    assert (response.status_code, "Choose at least one destination." in response.text) == (400, True)
    assert 'role="alert" tabindex="-1" autofocus' in response.text
    assert f'value="{seeded.destination}" aria-label' in response.text
    assert re.search(rf'name="id" value="{seeded.destination}"[^>]* checked', admin.get(f"{PAGE}?all=1").text)


@pytest.mark.parametrize("who", ["admin", "support"])
def test_drill_now_sends_drills_and_shows_their_progress(app: Flask, seeded: SeededIds, visit: Visit, who: str) -> None:
    visitor = visit(getattr(seeded, who))

    fragment = visitor.post(f"{PAGE}/now")

    assert fragment.status_code == 200
    assert "0 of 1 tests are complete" in fragment.text
    with app.app_context():
        (row,) = db.session.scalars(select(AlertDelivery))
        assert (row.drill, row.requested_by_id) == (DrillNumber.FIRST, getattr(seeded, who))
        batch = row.batch
    poll = f"{PAGE}/batches/{batch}?ended=0"
    assert f'hx-get="{poll}"' in fragment.text
    unchanged = visitor.get(poll)
    assert "0 of 1 tests are complete" in unchanged.text
    assert "HX-Trigger" not in unchanged.headers  # no row has changed
    second = visitor.post(f"{PAGE}/now").text
    assert "1 destination was left out because it was tested less than a minute ago." in second
    assert re.search(r"Press Drill now again in <span[^>]*>\d+ s", second)


def test_drill_now_without_javascript_leads_back_to_the_page(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)

    response = admin.post(f"{PAGE}/now", headers={"Sec-Fetch-Mode": "navigate"})

    assert response.status_code == 303
    assert "0 of 1 tests are complete" in admin.get(response.location).text


def test_a_viewer_sends_no_drill(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    assert visit(seeded.viewer).post(f"{PAGE}/now").status_code == 403

    with app.app_context():
        assert db.session.scalars(select(AlertDelivery)).all() == []


def test_the_calendar_lists_fifty_drills_of_a_day_and_counts_the_others(
    app: Flask, seeded: SeededIds, visit: Visit
) -> None:
    facts = {"workspace_id": seeded.harbor, "type": "webhook", "config": "", "created_at": NOW, "updated_at": NOW}
    with app.app_context():
        db.session.execute(insert(AlertDestination), [facts | {"name": f"Number {number}"} for number in range(59)])
        db.session.commit()
    admin = visit(seeded.admin)
    admin.post(PAGE, TIMES | {"weekday": ["2"]})

    calendar = admin.get(PAGE).text.partition('<ol class="calendar">')[2].partition("</ol>")[0]
    day = calendar.split('<li class="busy">')[2]  # the first one may be today, and partly over

    assert "<b>60</b>" in day
    assert "<summary>56 more</summary>" in day
    assert day.count("<li>") == 51
    assert re.search(r"<li>and 10 more until \d\d:\d\d</li>", day)


def test_a_large_workspace_gets_its_calendar_when_it_is_asked_for(
    seeded: SeededIds, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drill_page, "MAX_IN_CALENDAR", 0)
    admin = visit(seeded.admin)
    admin.post(PAGE, TIMES)

    page = admin.get(PAGE).text

    assert '<ol class="calendar">' not in page
    asked = admin.get(f"{PAGE}?calendar=1").text
    assert f'href="{PAGE}?calendar=1#calendar-title">Show the next five weeks</a> of all 1 destinations' in page
    assert '<ol class="calendar">' in asked
    assert "Show the next five weeks" not in asked
    changes = re.findall(r'action="(/w/harbor/drills/destinations[^"]*)"', asked)
    assert [change.endswith("?calendar=1") for change in changes] == [True, True]
    assert [admin.post(change, {"choice": "skip"}).location for change in changes[:1]] == [
        f"{PAGE}?calendar=1&changed={seeded.destination}#drills-{seeded.destination}"
    ]


def test_the_page_of_a_destination_names_its_next_drill(seeded: SeededIds, visit: Visit) -> None:
    admin, page = visit(seeded.admin), f"/w/harbor/destinations/{seeded.destination}"
    assert "Next drill" not in admin.get(page).text

    admin.post(PAGE, TIMES)
    assert f'href="{PAGE}#destinations-title">Change</a>' in admin.get(page).text
    assert f'href="{PAGE}#destinations-title">Drills</a>' in visit(seeded.support).get(page).text
    assert "Next drill: <time" in admin.get(page).text

    admin.post(f"{PAGE}/destinations/{seeded.destination}", {"choice": "skip"})
    assert "No drill is planned" in admin.get(page).text
