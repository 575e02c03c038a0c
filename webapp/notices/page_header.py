"""What every page of a workspace says about problems: how many are open, and that nobody is told by mail."""

from dataclasses import dataclass

from flask import g
from sqlalchemy import bindparam, func, select

from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.database.plans import PLAN_ONCE
from webapp.extensions import db
from webapp.models import DestinationProblem
from webapp.models.problem import IS_OPEN
from webapp.notices.mail_state import MailTrouble, find_mail_trouble


@dataclass(frozen=True)
class PageHeader:
    """The open problems of a workspace, and why nobody is told of them by mail; None if mail works.

    Only admins are shown a trouble on every page: they can do something about it.
    """

    open_problems: int
    trouble: MailTrouble | None


def load_page_header(visit: Visit) -> PageHeader:
    """Return what the workspace's pages say to this visitor. Loaded once a visit. A public demo has no problems."""
    known: tuple[Visit, PageHeader] | None = g.get("page_header")
    if known is None or known[0] is not visit:
        known = g.page_header = (visit, _load(visit))
    return known[1]


def _load(visit: Visit) -> PageHeader:
    if current_settings().is_public_demo:
        return PageHeader(0, None)
    count = db.session.scalar(_OPEN_PROBLEMS, {"workspace_id": visit.workspace.id}) or 0
    return PageHeader(count, find_mail_trouble(visit.workspace.id) if visit.role.may_edit else None)


# Built once, because every page of a workspace executes it.
_OPEN_PROBLEMS = (
    select(func.count())
    .select_from(DestinationProblem)
    .where(DestinationProblem.workspace_id == bindparam("workspace_id"), IS_OPEN)
    .execution_options(**{PLAN_ONCE: True})
)
