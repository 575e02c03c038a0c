"""Old notices and problems are deleted, a page at a time."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from tests.factories import NOW, SeededIds, on_both_databases
from webapp.extensions import db
from webapp.models import DestinationProblem, Notice, NoticeItem, NoticeKind, NoticeStatus, ProblemEnd, ProblemKind
from webapp.notices.retention import KEPT_FOR, delete_old_page

pytestmark = [on_both_databases, pytest.mark.usefixtures("context")]

SECOND = timedelta(seconds=1)


def _add_problem(seeded: SeededIds, closed_at: datetime | None) -> int:
    at = NOW - 2 * KEPT_FOR
    problem = DestinationProblem(
        workspace_id=seeded.harbor,
        alert_destination_id=seeded.destination,
        kind=ProblemKind.FAILING,
        opened_at=at,
        delivery_id=1,
        message_at=at,
        failed_at=at,
        settings_version=1,
        closed_at=closed_at,
        end_reason=ProblemEnd.ACCEPTED if closed_at else None,
    )
    db.session.add(problem)
    db.session.commit()
    return problem.id


def _add_notice(seeded: SeededIds, created_at: datetime) -> int:
    facts = {"workspace_id": seeded.harbor, "account_id": seeded.admin, "account_mail_id": 1}
    notice = Notice(**facts, status=NoticeStatus.SENT, created_at=created_at, ended_at=created_at)
    db.session.add(notice)
    db.session.commit()
    return notice.id


def test_old_rows_are_deleted_in_pages_and_open_problems_are_kept(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.notices.retention.PAGE_SIZE", 2)
    limit = NOW - KEPT_FOR
    for _ in range(3):
        _add_notice(seeded, limit - SECOND)
        _add_problem(seeded, limit - SECOND)
    kept_notice, kept_problems = _add_notice(seeded, limit), [_add_problem(seeded, limit), _add_problem(seeded, None)]

    assert [delete_old_page(NOW) for _ in range(5)] == [2, 1, 2, 1, 0]
    assert list(db.session.scalars(select(Notice.id))) == [kept_notice]
    assert list(db.session.scalars(select(DestinationProblem.id).order_by(DestinationProblem.id))) == kept_problems


def test_the_items_of_an_old_notice_are_deleted_in_pages_before_it(
    seeded: SeededIds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("webapp.notices.retention.PAGE_SIZE", 2)
    notice_id = _add_notice(seeded, NOW - KEPT_FOR - SECOND)
    kept_id = _add_notice(seeded, NOW - KEPT_FOR)
    for problem_id in [_add_problem(seeded, NOW) for _ in range(3)]:
        for each in (notice_id, kept_id):
            db.session.add(NoticeItem(notice_id=each, problem_id=problem_id, kind=NoticeKind.OPENED))
    db.session.commit()

    assert [delete_old_page(NOW) for _ in range(4)] == [2, 1, 1, 0]
    assert db.session.query(NoticeItem.notice_id).all() == [(kept_id,)] * 3
