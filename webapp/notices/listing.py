"""The problems of a workspace as its page shows them: the open ones, those that ended lately, and who was told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, UnaryExpression, func, or_, select
from sqlalchemy.orm import joinedload

from webapp.account_mail.outcome import find_next_step
from webapp.app_state import current_settings
from webapp.channels import describe_channel
from webapp.deliveries.arrival import UNCERTAIN_CODES
from webapp.deliveries.badge import known_code
from webapp.deliveries.badge import next_step as code_step
from webapp.destinations.masking import mask_target
from webapp.extensions import db
from webapp.models import (
    Account,
    AlertDestination,
    DestinationProblem,
    Notice,
    NoticeItem,
    NoticeKind,
    NoticeStatus,
    Role,
)
from webapp.notices.chosen_destination import find_chosen
from webapp.notices.chosen_destination_health import describe_obstacle, describe_obstacle_step
from webapp.notices.message_references import find_references
from webapp.notices.wording import KINDS, describe_cause, describe_count, describe_end
from webapp.notices.wording import describe_next_step as describe_step

# Rows of each list. The page counts the others.
MAX_OPEN, MAX_CLOSED = 200, 50

_STATUSES = {
    NoticeStatus.QUEUED: "is being told by mail",
    NoticeStatus.SENT: "was told by mail",
    NoticeStatus.FAILED: "could not be told by mail",
}


_STATUSES_OF_DESTINATIONS = {
    NoticeStatus.QUEUED: "is being told",
    NoticeStatus.SENT: "accepted a message about it",
    NoticeStatus.FAILED: "could not be told",
    NoticeStatus.CANCELED: "was not told",
}


@dataclass(frozen=True)
class ToldDestination:
    """The destination that is told about problems. trouble: why it is not told now, or empty. next_step: or None."""

    destination: AlertDestination
    channel: str
    trouble: str
    next_step: str | None


def load_target(workspace_id: int) -> ToldDestination | None:
    """Return the destination that is told about problems of the others, or None if none is chosen."""
    chosen = find_chosen(workspace_id)
    if chosen is None:
        return None
    destination, code = chosen.destination, chosen.obstacle
    trouble, step = describe_obstacle(code), describe_obstacle_step(code)
    return ToldDestination(destination, describe_channel(destination.type), trouble, step)


@dataclass(frozen=True)
class ToldRecipient:
    """Who was told about a problem, or could not be.

    name: of the member, or of the destination. words: what became of it. next_step: what to do, or None.
    """

    name: str
    kind: NoticeKind
    words: str
    at: datetime
    next_step: str | None


@dataclass(frozen=True)
class ListedProblem:
    """A problem as a role sees it. reference: of the newest message that counted, or None."""

    problem: DestinationProblem
    destination: AlertDestination
    kind: str
    channel: str
    target: str
    cause: str
    reference: str | None
    count: str
    next_step: str
    end: str
    notifications: list[ToldRecipient]


@dataclass(frozen=True)
class ProblemPage:
    """What the page shows. open_count: all open problems, of which the page may show fewer."""

    open: list[ListedProblem]
    closed: list[ListedProblem]
    open_count: int


def load_problems(workspace_id: int, role: Role) -> ProblemPage:
    """Load the page. Executes a fixed number of queries."""
    is_open = DestinationProblem.closed_at.is_(None)
    of_workspace = DestinationProblem.workspace_id == workspace_id
    newest_first = (DestinationProblem.opened_at.desc(), DestinationProblem.id.desc())
    open_ = _list(of_workspace & is_open, newest_first, MAX_OPEN)
    lately = (DestinationProblem.closed_at.desc(), DestinationProblem.id.desc())
    closed = _list(of_workspace & ~is_open, lately, MAX_CLOSED)
    notifications = _list_notifications([problem.id for problem in (*open_, *closed)])
    references = find_references([*open_, *closed])
    count = db.session.scalar(select(func.count()).select_from(DestinationProblem).where(of_workspace, is_open)) or 0
    rows = [
        [_make_row(problem, role, references.get(problem.id), notifications.get(problem.id, [])) for problem in found]
        for found in (open_, closed)
    ]
    return ProblemPage(rows[0], rows[1], count)


def _list(
    condition: ColumnElement[bool], order: tuple[UnaryExpression[Any], ...], limit: int
) -> Sequence[DestinationProblem]:
    query = select(DestinationProblem).options(joinedload(DestinationProblem.destination)).where(condition)
    return db.session.scalars(query.order_by(*order).limit(limit)).all()


def _make_row(
    problem: DestinationProblem, role: Role, reference: str | None, notifications: list[ToldRecipient]
) -> ListedProblem:
    destination = problem.destination
    target = mask_target(destination, role, current_settings().cipher) if destination.deleted_at is None else None
    is_open = problem.closed_at is None
    return ListedProblem(
        problem=problem,
        destination=destination,
        kind=KINDS[problem.kind],
        channel=describe_channel(destination.type),
        target=(target.short or target.text) if target else "",
        cause=describe_cause(problem),
        reference=reference,
        count=describe_count(problem),
        next_step=describe_step(problem, destination.type, destination.settings_version) if is_open else "",
        end=describe_end(problem),
        notifications=notifications,
    )


def _list_notifications(problem_ids: Sequence[int]) -> dict[int, list[ToldRecipient]]:
    """Return who was told about each problem, newest first. A canceled notice told nobody anything."""
    query = (
        select(NoticeItem.problem_id, NoticeItem.kind, Notice, Account.name, AlertDestination)
        .join(Notice, Notice.id == NoticeItem.notice_id)
        .outerjoin(Account, Account.id == Notice.account_id)
        .outerjoin(AlertDestination, AlertDestination.id == Notice.alert_destination_id)
        .where(
            NoticeItem.problem_id.in_(problem_ids),
            or_(Notice.status != NoticeStatus.CANCELED, Notice.error_code.is_not(None)),
        )
        .order_by(Notice.id.desc())
    )
    notifications: dict[int, list[ToldRecipient]] = {}
    for problem_id, kind, notice, name, target in db.session.execute(query).all():
        notification = _describe_target(target, kind, notice) if target else _describe_member(name, kind, notice)
        notifications.setdefault(problem_id, []).append(notification)
    return notifications


def _describe_member(name: str, kind: NoticeKind, notice: Notice) -> ToldRecipient:
    step = find_next_step(notice.error_code) if notice.error_code else None
    return ToldRecipient(name, kind, _STATUSES[notice.status], notice.ended_at or notice.created_at, step)


def _describe_target(target: AlertDestination, kind: NoticeKind, notice: Notice) -> ToldRecipient:
    words = _STATUSES_OF_DESTINATIONS[notice.status]
    if notice.status is NoticeStatus.FAILED and notice.error_code in UNCERTAIN_CODES:
        words = "may have been told"
    code = known_code(notice.error_code)
    step = code_step(code, target.type) if code else None
    reason = describe_obstacle(notice.error_code) or notice.error_message
    said = " ".join(filter(None, (reason, step))) or None
    return ToldRecipient(target.name, kind, words, notice.ended_at or notice.created_at, said)
