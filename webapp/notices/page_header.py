"""What every page of a workspace shows at its top: the visitor's workspaces, and what it says about problems."""

from dataclasses import dataclass

from flask import g
from sqlalchemy import bindparam, func, select

from webapp.app_state import current_settings
from webapp.auth.access import Visit
from webapp.models import DestinationProblem
from webapp.models.problem import IS_OPEN
from webapp.notices.mail_state import IS_MAIL_NEEDED, MailTrouble, find_mail_trouble
from webapp.workspaces.own_workspaces import Switcher, SwitcherQuery, load_switcher


@dataclass(frozen=True)
class PageHeader:
    """What the page shows.

    switcher: the visitor's workspaces. open_problems: of this one. is_mail_needed: whether its admins are to be told
    anything. trouble: why nobody is told by mail; None if mail works. Only admins are shown it on every page: they can
    do something about it.
    """

    switcher: Switcher
    open_problems: int
    is_mail_needed: bool
    trouble: MailTrouble | None


def load_page_header(visit: Visit) -> PageHeader:
    """Return what the workspace's pages say to this visitor. Loaded once a visit. A public demo has no problems."""
    known: tuple[Visit, PageHeader] | None = g.get("page_header")
    if known is None or known[0] is not visit:
        known = g.page_header = (visit, _load(visit))
    return known[1]


def load_mail_trouble(visit: Visit) -> MailTrouble | None:
    """Return why nobody is told by mail of the problems of a workspace, whatever the visitor's role."""
    return find_mail_trouble(is_needed=load_page_header(visit).is_mail_needed)


def _load(visit: Visit) -> PageHeader:
    if current_settings().is_public_demo:
        return PageHeader(load_switcher(visit.account), 0, is_mail_needed=False, trouble=None)
    switcher, beside = _QUERY.load(visit.account, workspace_id=visit.workspace.id)
    open_problems, is_needed = beside or (0, False)
    trouble = find_mail_trouble(is_needed=is_needed) if visit.role.may_edit else None
    return PageHeader(switcher, open_problems, is_needed, trouble)


_OPEN_PROBLEMS = (
    select(func.count())
    .select_from(DestinationProblem)
    .where(DestinationProblem.workspace_id == bindparam("workspace_id"), IS_OPEN)
    .scalar_subquery()
)
_QUERY = SwitcherQuery(_OPEN_PROBLEMS, IS_MAIL_NEEDED)
