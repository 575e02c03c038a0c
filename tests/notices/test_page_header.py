"""What every page of a workspace shows at its top, loaded in one statement."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from sqlalchemy import delete

from tests.factories import NOW, SeededIds, add_delivery, get_account, get_destination, get_workspace, on_both_databases
from webapp.auth.access import Visit
from webapp.extensions import db
from webapp.failures import Code
from webapp.models import AlertDestination, DeliveryStatus, DestinationProblem, Member, ProblemKind, Role
from webapp.notices.page_header import PageHeader, load_page_header
from webapp.workspaces.own_workspaces import Switcher

pytestmark = pytest.mark.usefixtures("context")

CountQueries = Callable[[], AbstractContextManager[list[str]]]


def _visit(seeded: SeededIds, role: Role = Role.ADMIN) -> Visit:
    return Visit(get_account(seeded), get_workspace(seeded), role)


def _add_problem(destination: AlertDestination) -> None:
    delivery = add_delivery(destination, status=DeliveryStatus.FAILED, last_error_code=Code.NOT_FOUND)
    facts = {"delivery_id": delivery.id, "message_at": NOW, "failed_at": NOW, "settings_version": 1, "opened_at": NOW}
    ids = {"workspace_id": destination.workspace_id, "alert_destination_id": destination.id}
    db.session.add(DestinationProblem(kind=ProblemKind.FAILING, **ids, **facts))
    db.session.commit()


@on_both_databases
def test_an_open_problem_is_counted_and_somebody_is_to_be_told(seeded: SeededIds) -> None:
    _add_problem(get_destination(seeded))

    header = load_page_header(_visit(seeded))

    assert (header.open_problems, header.is_mail_needed) == (1, True)


@on_both_databases
def test_a_problem_of_another_workspace_does_not_count(seeded: SeededIds) -> None:
    _add_problem(db.session.get_one(AlertDestination, seeded.foreign_destination))

    header = load_page_header(_visit(seeded))

    assert (header.open_problems, header.is_mail_needed) == (0, False)


def test_the_workspaces_are_those_of_the_visitor_with_their_role(seeded: SeededIds) -> None:
    switcher = load_page_header(_visit(seeded)).switcher

    assert [(own.workspace_id, own.role) for own in switcher.workspaces] == [(seeded.harbor, Role.ADMIN)]
    assert not switcher.has_too_many


def test_a_visitor_who_was_just_removed_gets_an_empty_header(seeded: SeededIds) -> None:
    visit = _visit(seeded)
    db.session.execute(delete(Member).where(Member.account_id == seeded.admin))

    assert load_page_header(visit) == PageHeader(Switcher([], False), 0, is_mail_needed=False, trouble=None)


def test_it_is_loaded_once_in_one_statement(seeded: SeededIds, count_queries: CountQueries) -> None:
    visit = _visit(seeded, Role.VIEWER)  # whom no page tells that mail does not work
    with count_queries() as statements:
        assert load_page_header(visit) is load_page_header(visit)

    assert len(statements) == 1
