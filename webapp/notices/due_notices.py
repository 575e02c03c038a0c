"""Plans the notices that are due in a workspace, in steps of some milliseconds. Several workers may do it at once."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update

from webapp.account_mail.requesting import is_account_mail_available
from webapp.extensions import db
from webapp.models import AlertDestination, DestinationProblem, Workspace
from webapp.models.locking import lock_problems
from webapp.models.problem import IS_WATCHED
from webapp.notices.chosen_destination import find_chosen
from webapp.notices.chosen_destination_health import ChosenHealth
from webapp.notices.notice_timing import (
    DAY,
    GATHERED_FOR,
    UNDER_WAY_FOR,
    News,
    ProblemRow,
    choose_news,
    find_news,
)
from webapp.notices.past_notices import Recipient, list_recent, list_told
from webapp.notices.recipients import list_recipients
from webapp.notices.writing import Look, write_notice

# Workspaces of one round. The next round, seconds later, continues.
PAGE_SIZE = 20

# Problems that one step looks at for one recipient; for several, it looks at fewer.
LOOKED_AT = 1000

# Problems for which one step sets the time of the next look.
PUT_OFF = 500

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


def plan_notices(workspace_id: int, clock: Callable[[], datetime]) -> Iterator[bool]:
    """Write the notices that are due in a workspace. Yields after each step whether it completed a notice.

    A worker that dies leaves the problems due, and each notice either complete or canceled.
    """
    began_at = clock()
    look = Look(workspace_id, clock, began_at, list_recent(workspace_id, began_at, began_at))
    chosen = find_chosen(workspace_id)
    news: dict[Recipient, list[News]] = {recipient: [] for recipient in _list_recipients(workspace_id, chosen)}
    problems: list[ProblemRow] = []
    for page in _list_pages(workspace_id, max(1, LOOKED_AT // max(1, len(news)))):
        _collect_news(news, page, chosen, began_at)
        problems += [problem for problem, _ in page]
        db.session.rollback()
        yield False
    next_times = []
    for recipient in list(news):
        plan = choose_news(news.pop(recipient), look.recent[recipient].values(), began_at)
        if plan.next_at:
            next_times.append(plan.next_at)
        if plan.items and recipient.account_id is None and chosen and chosen.obstacle:
            next_times.append(clock() + UNDER_WAY_FOR)
        elif plan.items:
            # Until it is known what became of the notice, even a closed problem is looked at again.
            next_times.append(clock() + GATHERED_FOR)
            yield from write_notice(look, recipient, plan.items)
    for first in range(0, len(problems), PUT_OFF):
        _set_attention(problems[first : first + PUT_OFF], min(next_times, default=None), clock())
        db.session.commit()
        yield False


def _list_recipients(workspace_id: int, chosen: ChosenHealth | None) -> list[Recipient]:
    people = list_recipients(workspace_id) if is_account_mail_available() else ()
    return [*map(Recipient, people), *([Recipient(None, chosen.destination.id)] if chosen else [])]


def _collect_news(
    news: dict[Recipient, list[News]],
    page: Sequence[tuple[ProblemRow, str]],
    chosen: ChosenHealth | None,
    now: datetime,
) -> None:
    """Add what can be told about a page of problems to the news of each recipient.

    The chosen destination is told nothing about its own channel.
    """
    if not news:
        return
    told = list_told([problem.id for problem, _ in page])
    for recipient, found in news.items():
        past = told[recipient].values()
        own = chosen.destination.type if chosen and recipient.account_id is None else None
        for problem, channel in page:
            if channel != own:
                found += find_news(problem, past, now)


def _is_due(now: datetime) -> ColumnElement[bool]:
    """Return the condition for the problems to look at now. A time from a clock that was ahead keeps none waiting."""
    at, is_open = DestinationProblem.attention_at, DestinationProblem.closed_at.is_(None)
    return and_(IS_WATCHED, or_(at <= now, at > now + WAITS_AT_MOST, is_open & (at > now + 2 * LOOK_AGAIN)))


def _list_pages(workspace_id: int, size: int) -> Iterator[list[tuple[ProblemRow, str]]]:
    """Yield the problems that are open or news, with their channels, in pages."""
    is_news = or_(DestinationProblem.closed_at.is_(None), DestinationProblem.attention_at.is_not(None))
    columns = [getattr(DestinationProblem, name) for name in ProblemRow._fields]
    query = select(*columns, AlertDestination.type).join(DestinationProblem.destination)
    query = query.where(DestinationProblem.workspace_id == workspace_id, is_news).order_by(DestinationProblem.id)
    after = 0
    while rows := db.session.execute(query.where(DestinationProblem.id > after).limit(size)).all():
        after = rows[-1].id
        yield [(ProblemRow._make(row[:-1]), row[-1]) for row in rows]


def _set_attention(problems: Sequence[ProblemRow], next_at: datetime | None, now: datetime) -> None:
    """Set when the workspace is looked at again. A problem that another transaction changes meanwhile keeps its own."""
    lock_problems(DestinationProblem.id.in_([problem.id for problem in problems]))
    for is_closed in (False, True):
        ids = [problem.id for problem in problems if (problem.closed_at is not None) is is_closed]
        again = next_at if is_closed else min(next_at or now + LOOK_AGAIN, now + LOOK_AGAIN)
        is_same = DestinationProblem.closed_at.is_not(None) if is_closed else DestinationProblem.closed_at.is_(None)
        later = update(DestinationProblem).where(DestinationProblem.id.in_(ids), is_same).values(attention_at=again)
        db.session.execute(later.execution_options(synchronize_session=False))
