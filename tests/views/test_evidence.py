"""The page of the evidence and its files, as members see them."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from psycopg import Cursor
from sqlalchemy import event

from tests.evidence.test_export import FAILED, LATER, MAY, SEEN, SENT
from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases, seconds
from tests.visitor import Visitor
from webapp.destinations.editing import delete_destination, insert_destination
from webapp.evidence import RetentionPeriods, make_report
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import Account, DeliveryStatus, Workspace
from webapp.settings import AppSettings

Visit = Callable[[int], Visitor]
PAGE = "/w/harbor/evidence?from=2026-05-01&to=2026-05-31"


@pytest.mark.parametrize("role", ["admin", "support", "viewer"])
def test_every_member_reads_the_report_and_no_secret(seeded: SeededIds, context: None, visit: Visit, role: str) -> None:
    add_delivery(get_destination(seeded), **FAILED | {"last_error_message": "hooks.example.com gave up."})
    page = visit(getattr(seeded, role)).get(PAGE).text
    assert "hooks.example.com gave up." in page
    assert "Failed tests (1)" in page
    assert "canary-7f3a9c" not in page
    assert f"by <bdi>{role.capitalize()}</bdi>, with Alertcheck" in page


def test_a_receipt_of_an_earlier_test_is_not_told_as_one_of_the_last(
    seeded: SeededIds, context: None, visit: Visit
) -> None:
    add_delivery(get_destination(seeded), **SENT | SEEN, created_at=NOW)
    add_delivery(get_destination(seeded), **SENT, created_at=NOW + seconds(3600))

    page = " ".join(visit(seeded.admin).get(PAGE).text.split())

    assert "Last test: accepted, requested <time" in page
    assert re.search(
        r"Test requested <time[^>]*>(<[^>]*>)?2026-05-04 09:30:00 UTC(</span>)?</time>: Seen by someone", page
    )


def test_a_report_that_is_incomplete_says_so_at_its_head(seeded: SeededIds, visit: Visit) -> None:
    page = visit(seeded.viewer).get(PAGE).text
    assert "This report is incomplete." in page
    assert "This workspace did not exist before 2026-05-04 09:30:00 UTC." in page
    assert page.index("This report is incomplete.") < page.index("Totals")


def test_what_is_no_period_is_explained_with_400(seeded: SeededIds, visit: Visit) -> None:
    response = visit(seeded.viewer).get("/w/harbor/evidence?from=2026-05-31&to=2026-05-01")
    assert response.status_code == 400
    assert "The last day is before the first one." in response.text


@pytest.mark.parametrize("database", ["postgres"], indirect=True)
def test_a_report_that_takes_too_long_is_explained(context: None, seeded: SeededIds, visit: Visit) -> None:
    visitor = visit(seeded.viewer)

    def count_slowly(_connection: object, cursor: Cursor[Any], statement: str, parameters: Any, *_rest: object) -> Any:
        if "group_0" in statement:
            cursor.execute("SET LOCAL statement_timeout = 50")
            statement = statement.replace("WHERE", "WHERE (SELECT pg_sleep(10)) IS NOT NULL AND", 1)
        return statement, parameters

    event.listen(db.engine, "before_cursor_execute", count_slowly, retval=True)
    try:
        response = visitor.get(PAGE)
    finally:
        event.remove(db.engine, "before_cursor_execute", count_slowly)

    assert response.status_code == 400
    assert "The report of these 31 days takes longer than a page may take. Choose a shorter period" in response.text


def test_the_names_of_the_files_say_whose_they_are_for_when_and_that_they_are_incomplete(
    seeded: SeededIds, visit: Visit
) -> None:
    response = visit(seeded.viewer).get("/w/harbor/evidence/tests.csv?from=2026-05-01&to=2026-05-31")
    name = "evidence-tests-harbor-2026-05-01-2026-05-31-incomplete.csv"
    assert response.headers["Content-Disposition"] == f'attachment; filename="{name}"'


def test_a_deleted_destination_is_in_the_report_with_who_deleted_it(
    seeded: SeededIds, context: None, visit: Visit
) -> None:
    admin = db.session.get_one(Account, seeded.admin)
    delete_destination(get_destination(seeded), admin, NOW + seconds(60))
    page = visit(seeded.viewer).get(PAGE).text
    assert "Deleted (1)" in page
    assert "Never tested (1)" in page


@on_both_databases
def test_the_number_of_queries_does_not_grow(
    seeded: SeededIds, app_settings: AppSettings, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    def count() -> int:
        with count_queries() as statements:
            make_report(seeded.harbor, MAY, RetentionPeriods(None, None), LATER)
        db.session.rollback()
        return len(statements)

    add_delivery(get_destination(seeded), **FAILED)
    few = count()
    workspace, admin = db.session.get_one(Workspace, seeded.harbor), db.session.get_one(Account, seeded.admin)
    for number in range(5):
        settings = {"address": f"https://example.com/{number}"}
        added = insert_destination(workspace, admin, "webhook", f"D{number}", settings, app_settings.cipher, NOW)
        add_delivery(added, **SENT)
        add_delivery(added, status=DeliveryStatus.FAILED, last_error_code=Code.NOT_FOUND)
    assert count() == few
