"""Several destinations of the list at once: chosen on a page of their own, then tested, enabled, disabled or tagged."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy import select

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, get_workspace
from tests.visitor import Visitor
from webapp.channels import CHANNELS
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDelivery, AlertDestination, DeliveryStatus, database_clock
from webapp.settings import AppSettings
from webapp.views import bulk

PAGE = "/w/harbor/choose"

Visit = Callable[[int], Visitor]


@pytest.fixture
def ids(app: Flask, seeded: SeededIds, app_settings: AppSettings) -> list[int]:
    """The destinations of the harbor: the first is the seeded one."""
    with app.app_context():
        workspace, account, cipher = get_workspace(seeded), get_account(seeded), app_settings.cipher
        for name in ("Crane", "Dock"):
            address = {"address": f"https://{name.lower()}.example.com/x"}
            add_destination(workspace, account, "webhook", name, address, cipher, NOW, [name.lower()])
        own = select(AlertDestination.id).where(AlertDestination.workspace_id == workspace.id)
        return list(db.session.scalars(own.order_by(AlertDestination.id)))


def states(app: Flask, ids: list[int]) -> list[tuple[bool, str]]:
    with app.app_context():
        found = [db.session.get_one(AlertDestination, destination_id) for destination_id in ids]
        return [(destination.is_enabled, destination.tags) for destination in found]


def ticked(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'name="id" value="(\d+)" checked', page)]


def test_the_page_lists_what_the_filter_of_the_list_shows(seeded: SeededIds, visit: Visit, ids: list[int]) -> None:
    admin = visit(seeded.admin)

    assert re.findall(r'name="id" value="(\d+)"', admin.get(f"{PAGE}?tag=dock").text) == [str(ids[2])]
    assert ticked(admin.get(PAGE).text) == []
    assert sorted(ticked(admin.get(f"{PAGE}?all=1").text)) == ids
    assert f'href="{PAGE}?order=name"' in admin.get("/w/harbor/destinations?order=name").text


def test_the_page_lists_those_with_a_gap(app: Flask, seeded: SeededIds, visit: Visit, ids: list[int]) -> None:
    with app.app_context():
        crane, now = db.session.get_one(AlertDestination, ids[1]), database_clock.now()
        add_delivery(crane, status=DeliveryStatus.SENT, sent_at=now, created_at=now)

    page = visit(seeded.admin).get(f"{PAGE}?gap=stale").text

    assert sorted(re.findall(r'name="id" value="(\d+)"', page)) == [str(ids[0]), str(ids[2])]


def test_the_page_counts_what_matches_the_filter(seeded: SeededIds, visit: Visit, ids: list[int]) -> None:
    admin = visit(seeded.admin)

    assert re.search(r"\s1 destination that matches the filter\.", admin.get(f"{PAGE}?tag=dock").text)
    assert re.search(r"\s3 destinations that match the filter\.", admin.get(f"{PAGE}?state=never").text)
    assert re.search(r"\s3 destinations\.", admin.get(PAGE).text)


def test_a_long_list_has_pages_and_ticks_those_of_one(
    seeded: SeededIds, visit: Visit, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "PAGE_SIZE", 2)
    admin = visit(seeded.admin)

    first, second = (admin.get(f"{PAGE}?all=1&order=name&page={number}").text for number in (1, 2))

    assert sorted(ticked(first) + ticked(second)) == ids
    assert len(ticked(first)) == 2
    assert "3 destinations. This page shows 2 of them, and changes or tests those that are ticked on it." in first
    assert f'href="{PAGE}?page=2&amp;order=name"' in first
    assert 'href="/w/harbor/destinations?order=name"' in second


def test_an_empty_page_names_the_filter_only_if_there_is_one(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    filtered = admin.get(f"{PAGE}?q=no+such+name").text
    admin.post("/w/harbor/destinations/1/delete")
    empty = admin.get(PAGE).text

    assert "No destination matches the filter." in filtered
    assert "No destinations yet." in empty
    assert "filter" not in empty


def test_the_list_is_filtered_by_tag_and_shows_tags(seeded: SeededIds, visit: Visit, ids: list[int]) -> None:
    page = visit(seeded.admin).get("/w/harbor/destinations?tag=dock").text

    assert "Dock" in page
    assert "Crane" not in page
    assert re.search(r'data-color="\d"><bdi>dock</bdi>', page)
    assert '<option value="dock" selected>' in page


@pytest.mark.parametrize(
    ("do", "tags", "said", "after"),
    [
        ("disable", "", "2 destinations were disabled.", [(False, "crane"), (False, "dock")]),
        ("enable", "", "No destination was enabled. 2 destinations did not change.", [(True, "crane"), (True, "dock")]),
        ("add-tags", "EU", "2 destinations were tagged.", [(True, "crane,eu"), (True, "dock,eu")]),
        (
            "remove-tags",
            "dock",
            "1 destination lost the tags.",
            [(True, "crane"), (True, "")],
        ),
    ],
)
def test_the_chosen_ones_are_changed_and_counted(
    app: Flask, seeded: SeededIds, visit: Visit, ids: list[int], do: str, tags: str, said: str, after: list[object]
) -> None:
    admin = visit(seeded.admin)
    response = admin.post(f"{PAGE}?order=name", {"do": do, "tags": tags, "id": [str(number) for number in ids[1:]]})

    assert (response.status_code, response.location) == (303, "/w/harbor/destinations?order=name")
    assert said in admin.get(response.location).text
    assert states(app, ids)[1:] == after


def test_tests_are_sent_to_the_chosen_ones_only(app: Flask, seeded: SeededIds, visit: Visit, ids: list[int]) -> None:
    response = visit(seeded.support).post(PAGE, {"do": "test", "id": [str(ids[1]), str(seeded.foreign_destination)]})

    assert response.status_code == 303
    assert "batch=" in response.location
    with app.app_context():
        assert [row.alert_destination_id for row in db.session.scalars(select(AlertDelivery))] == [ids[1]]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"do": "disable"}, "Choose at least one destination."),
        ({"do": "test", "id": "no"}, "Choose at least one destination."),
        ({"do": "add-tags", "tags": " , ", "id": "1"}, "Enter at least one tag."),
        ({"do": "add-tags", "tags": "x" * 31, "id": "1"}, "at most 30 characters"),
    ],
)
def test_a_mistake_is_named_and_loses_nothing(
    app: Flask, seeded: SeededIds, visit: Visit, ids: list[int], form: dict[str, str], error: str
) -> None:
    before = states(app, ids)
    response = visit(seeded.admin).post(PAGE, form)

    assert response.status_code == 400
    assert error in response.text
    assert 'role="alert" tabindex="-1" autofocus' in response.text
    assert ticked(response.text) == ([1] if form.get("id") == "1" else [])
    assert f'value="{form.get("tags", "")}"' in response.text
    assert states(app, ids) == before


@pytest.mark.parametrize(
    ("who", "do", "status"),
    [("support", "disable", 403), ("support", "add-tags", 403), ("viewer", "test", 403), ("admin", "delete", 400)],
)
def test_nobody_does_more_than_the_role_allows(
    app: Flask, seeded: SeededIds, visit: Visit, ids: list[int], who: str, do: str, status: int
) -> None:
    before = states(app, ids)
    response = visit(getattr(seeded, who)).post(PAGE, {"do": do, "id": str(ids[0]), "tags": "x"})

    assert response.status_code == status
    assert states(app, ids) == before


def test_destinations_of_other_workspaces_stay_as_they_are(app: Flask, seeded: SeededIds, visit: Visit) -> None:
    visit(seeded.admin).post(PAGE, {"do": "disable", "id": [str(seeded.foreign_destination)]})

    assert states(app, [seeded.foreign_destination]) == [(True, "")]


def test_a_duplicate_begins_with_all_but_the_secrets(
    app: Flask, seeded: SeededIds, visit: Visit, app_settings: AppSettings
) -> None:
    with app.app_context():
        settings = {"recipients": "ann@example.com", "omit_auto_submitted": "yes"}
        mail = add_destination(
            get_workspace(seeded), get_account(seeded), "email", "Desk", settings, app_settings.cipher, NOW, ["eu"]
        ).id
    admin = visit(seeded.admin)

    page = admin.get(f"/w/harbor/destinations/new/email?copy={mail}").text
    assert 'value="Desk (copy)"' in page
    assert "ann@example.com</textarea>" in page
    assert re.search(r'<input [^>]*checked[^>]*name="omit_auto_submitted"', page)
    assert 'value="eu"' in page
    webhook = admin.get("/w/harbor/destinations/new/webhook?copy=1").text
    with app.app_context():
        secrets = app_settings.cipher.decrypt(
            get_destination(seeded).config, context=get_destination(seeded).encryption_context
        )
    assert not any(secret in webhook for secret in secrets.values())
    assert admin.get(f"/w/harbor/destinations/new/webhook?copy={mail}").status_code == 404
    assert admin.get(f"/w/harbor/destinations/new/webhook?copy={seeded.foreign_destination}").status_code == 404


def test_a_second_destination_to_the_same_place_is_saved_with_a_warning(seeded: SeededIds, visit: Visit) -> None:
    admin = visit(seeded.admin)
    for name in ("One", "Two"):
        form = {"name": name, "address": "https://same.example.com/canary"}
        page = admin.get(admin.post("/w/harbor/destinations/new/webhook", form).location).text

    assert "Another destination of this workspace sends to the same place: “One”." in page
    assert "canary" not in page


def test_a_destination_that_pages_people_is_tested_only_if_that_is_confirmed(
    app: Flask, seeded: SeededIds, visit: Visit, ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(CHANNELS, "webhook", replace(CHANNELS["webhook"], pages_people=True))
    admin = visit(seeded.admin)
    form = {"do": "test", "id": str(ids[1])}

    assert "Also the 3 that page people" in admin.get(PAGE).text
    assert "Also the one that pages people" in admin.get(f"{PAGE}?tag=dock").text
    assert "because it pages people" in admin.get(admin.post(PAGE, form).location).text
    with app.app_context():
        assert db.session.scalars(select(AlertDelivery)).all() == []
    admin.post(PAGE, form | {"confirm_paging": "yes"})
    with app.app_context():
        assert len(db.session.scalars(select(AlertDelivery)).all()) == 1
