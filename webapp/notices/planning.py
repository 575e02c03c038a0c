"""Writes the notices that are due: one transaction for each workspace, locked against other workers."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_, select, update
from sqlalchemy.orm.exc import ObjectDeletedError

from webapp.account_mail.requesting import is_account_mail_available, request_mail
from webapp.deliveries.arrival import UNCERTAIN_CODES
from webapp.extensions import db
from webapp.models import (
    AccountMailKind,
    AlertDestination,
    DestinationProblem,
    Notice,
    NoticeItem,
    NoticeKind,
    NoticeStatus,
    Workspace,
)
from webapp.models.insertion import insert_rows
from webapp.models.locking import lock_problems, lock_workspace
from webapp.models.problem import IS_WATCHED
from webapp.notices.chosen_destination import find_chosen
from webapp.notices.notice_policy import DAY, UNDER_WAY_FOR, PastNotice, Plan, ProblemRow, plan_notice
from webapp.notices.recipients import list_recipients
from webapp.notices.target_health import TargetHealth

# Workspaces of one round. The next round, seconds later, continues.
PAGE_SIZE = 20

# An open problem is looked at again this often: members, their addresses and their choices change meanwhile.
LOOK_AGAIN = timedelta(hours=1)

# A closed one waits no longer than this.
WAITS_AT_MOST = 2 * DAY


def list_due_workspaces(now: datetime) -> Sequence[int]:
    """Return the ids of workspaces in which something may be due."""
    due = (
        select(DestinationProblem.workspace_id)
        .join(Workspace, Workspace.id == DestinationProblem.workspace_id)
        .where(_is_due(now), Workspace.deleted_at.is_(None))
        .distinct()
        .limit(PAGE_SIZE)
    )
    workspace_ids = db.session.scalars(due).all()
    db.session.rollback()
    return workspace_ids


def plan_notices(workspace_id: int, now: datetime) -> int:
    """Write the notices that are due in a workspace, commit, and return how many.

    Whatever another worker has just written is seen.
    """
    workspace = Workspace(id=workspace_id)
    try:
        lock_workspace(workspace)
    except ObjectDeletedError:
        db.session.rollback()
        return 0
    found = db.session.connection().execute(_select_problems(workspace_id)).all()
    problems = [ProblemRow._make(row[:-1]) for row in found]
    is_due = select(DestinationProblem.id).where(DestinationProblem.workspace_id == workspace_id, _is_due(now))
    if db.session.scalar(is_due.limit(1)) is None:
        db.session.rollback()
        return 0
    written, next_times = 0, []
    for account_id in list_recipients(workspace_id) if is_account_mail_available() else ():
        past = _list_past(_select_past(workspace_id, problems, now).where(Notice.account_id == account_id))
        plan = plan_notice(problems, past, now)
        next_times += [plan.next_at] if plan.next_at else []
        if plan.items:
            _add_mailed_notice(workspace_id, account_id, plan.items, now)
            written += 1
    if chosen := find_chosen(workspace_id):
        others = [problem for problem, row in zip(problems, found, strict=True) if row[-1] != chosen.destination.type]
        plan = _plan_destination(workspace_id, chosen, others, now)
        next_times += [plan.next_at] if plan.next_at else []
        written += bool(plan.items)
    _set_attention(problems, min(next_times, default=None), now)
    db.session.commit()
    return written


def _plan_destination(workspace_id: int, chosen: TargetHealth, others: Sequence[ProblemRow], now: datetime) -> Plan:
    """Write what the chosen destination is to be told, unless something is in the way. Then it is looked at again.

    others: the problems of destinations of other channels.
    """
    target = chosen.destination
    query = _select_past(workspace_id, others, now).where(Notice.alert_destination_id == target.id)
    plan = plan_notice(others, _list_past(query, UNCERTAIN_CODES), now)
    if plan.items and chosen.obstacle is not None:
        return Plan({}, now + UNDER_WAY_FOR)
    if plan.items:
        notice = Notice(alert_destination_id=target.id, status=NoticeStatus.QUEUED, created_at=now)
        _add_notice(workspace_id, notice, plan.items)
    return plan


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition for the problems to look at now. A time from a clock that was ahead keeps none waiting."""
    at, is_open = DestinationProblem.attention_at, DestinationProblem.closed_at.is_(None)
    return and_(IS_WATCHED, or_(at <= now, at > now + WAITS_AT_MOST, is_open & (at > now + 2 * LOOK_AGAIN)))


def _select_problems(workspace_id: int) -> Select[*tuple[Any, ...]]:
    """Return the query for the columns of `ProblemRow`, and the channel."""
    is_news = or_(DestinationProblem.closed_at.is_(None), DestinationProblem.attention_at.is_not(None))
    columns = [getattr(DestinationProblem, name) for name in ProblemRow._fields]
    query = select(*columns, AlertDestination.type).join(DestinationProblem.destination)
    return query.where(DestinationProblem.workspace_id == workspace_id, is_news)


def _select_past(workspace_id: int, problems: Sequence[ProblemRow], now: datetime) -> Select[*tuple[Any, ...]]:
    """Return the query for the notices about these problems, and all those of the last day."""
    about = select(NoticeItem.notice_id).where(NoticeItem.problem_id.in_([problem.id for problem in problems]))
    return (
        select(Notice.id, Notice.status, Notice.created_at, Notice.error_code, NoticeItem.problem_id, NoticeItem.kind)
        .outerjoin(NoticeItem, NoticeItem.notice_id == Notice.id)
        .where(Notice.workspace_id == workspace_id, or_(Notice.id.in_(about), Notice.created_at > now - DAY))
    )


def _list_past(
    query: Select[*tuple[Any, ...]], uncertain_codes: frozenset[str] = PastNotice.uncertain_codes
) -> list[PastNotice]:
    past: dict[int, PastNotice] = {}
    for notice_id, status, created_at, code, problem_id, kind in db.session.execute(query):
        if notice_id not in past:
            past[notice_id] = PastNotice(status, created_at, code, uncertain_codes=uncertain_codes)
        if problem_id is not None:
            past[notice_id].items[problem_id] = kind
    return list(past.values())


def _add_mailed_notice(workspace_id: int, account_id: int, items: dict[int, NoticeKind], now: datetime) -> None:
    mail = request_mail(AccountMailKind.NOTICE, now, account_id=account_id)
    notice = Notice(account_id=account_id, account_mail_id=mail.id, status=NoticeStatus.QUEUED, created_at=now)
    _add_notice(workspace_id, notice, items)


def _add_notice(workspace_id: int, notice: Notice, items: dict[int, NoticeKind]) -> None:
    notice.workspace_id = workspace_id
    db.session.add(notice)
    db.session.flush()
    rows = [{"notice_id": notice.id, "problem_id": key, "kind": kind} for key, kind in items.items()]
    insert_rows(NoticeItem, rows, NoticeItem.problem_id)


def _set_attention(problems: Sequence[ProblemRow], next_at: datetime | None, now: datetime) -> None:
    """Set when the workspace is looked at again. A problem that another transaction changes meanwhile keeps its own."""
    lock_problems(DestinationProblem.id.in_([problem.id for problem in problems]))
    for is_closed in (False, True):
        ids = [problem.id for problem in problems if (problem.closed_at is not None) is is_closed]
        again = next_at if is_closed else min(next_at or now + LOOK_AGAIN, now + LOOK_AGAIN)
        is_same = DestinationProblem.closed_at.is_not(None) if is_closed else DestinationProblem.closed_at.is_(None)
        later = update(DestinationProblem).where(DestinationProblem.id.in_(ids), is_same).values(attention_at=again)
        db.session.execute(later.execution_options(synchronize_session=False))
