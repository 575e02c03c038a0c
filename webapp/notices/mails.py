"""The mail that tells a member about problems. Who gets it and what is true are checked again when it is sent."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import delete, select

from webapp.account_mail.mail_content import (
    MAX_NAME_IN_SUBJECT,
    Composer,
    MailContent,
    MailSection,
    format_utc,
    make_page_address,
)
from webapp.app_state import current_settings
from webapp.auth.mailed_account import find_account_recipient
from webapp.channels import describe_channel
from webapp.destinations.masking import mask_target
from webapp.extensions import db
from webapp.models import (
    AccountMail,
    AlertDestination,
    DestinationProblem,
    Notice,
    NoticeItem,
    NoticeKind,
    Role,
    Workspace,
)
from webapp.notices.headline import Item, describe_headline, is_failure
from webapp.notices.message_references import find_references
from webapp.notices.recipients import find_role_of_recipient
from webapp.notices.wording import describe_cause, describe_count, describe_end, describe_next_step
from webapp.text.counting import count
from webapp.text.names import isolate_name, quote_apart

# Problems that a mail describes. It counts the others, and the page has all of them.
MAX_DESCRIBED = 20


def find_recipient(mail: AccountMail) -> str | None:
    """Return the address of the member; None if they lost access or turned these mails off."""
    notice = _find_notice(mail)
    if notice is None or notice.account_id is None:
        return None
    role = find_role_of_recipient(notice.workspace_id, notice.account_id)
    return find_account_recipient(mail) if role is not None else None


def compose_notice(mail: AccountMail, now: datetime) -> MailContent | None:
    """Write the mail from the items that are still true; None if there are none. What it drops counts as not told."""
    notice = _find_notice(mail)
    if notice is None or notice.account_id is None:
        return None
    role = find_role_of_recipient(notice.workspace_id, notice.account_id)
    workspace = db.session.get(Workspace, notice.workspace_id)
    if role is None or workspace is None or workspace.deleted_at is not None:
        return None
    items = keep_true_items(notice.id)
    return _write_mail(workspace, items, role) if items else None


NOTICE_COMPOSER = Composer(find_recipient, compose_notice)


def keep_true_items(notice_id: int) -> list[Item]:
    """Return a notice's items that are still true, open problems first, and delete the others."""
    rows = db.session.execute(
        select(NoticeItem.kind, DestinationProblem, AlertDestination)
        .join(DestinationProblem, DestinationProblem.id == NoticeItem.problem_id)
        .join(AlertDestination, AlertDestination.id == DestinationProblem.alert_destination_id)
        .where(NoticeItem.notice_id == notice_id)
        .order_by(DestinationProblem.opened_at, DestinationProblem.id)
        .execution_options(populate_existing=True)
    ).all()
    items = [(kind, problem, destination) for kind, problem, destination in rows if _is_true(kind, problem)]
    drop_items(notice_id, {problem.id for _, problem, _ in rows} - {problem.id for _, problem, _ in items})
    return sorted(items, key=lambda item: item[0] is NoticeKind.RECOVERED)


def drop_items(notice_id: int, problem_ids: Collection[int]) -> None:
    """Delete what a notice will not tell, so that it does not count as told."""
    if problem_ids:
        dropped = delete(NoticeItem).where(NoticeItem.notice_id == notice_id, NoticeItem.problem_id.in_(problem_ids))
        db.session.execute(dropped.execution_options(synchronize_session=False))


def _is_true(kind: NoticeKind, problem: DestinationProblem) -> bool:
    return (problem.closed_at is not None) is (kind is NoticeKind.RECOVERED)


def _find_notice(mail: AccountMail) -> Notice | None:
    query = select(Notice).where(Notice.account_mail_id == mail.id, Notice.account_id == mail.account_id)
    return db.session.scalars(query).one_or_none()


def _write_mail(workspace: Workspace, items: Sequence[Item], role: Role) -> MailContent:
    """Return what the mail says to a member of this role."""
    slug = workspace.slug
    left = len(items) - MAX_DESCRIBED
    others = (f"{count(left, 'more problem')}: see the list of problems.",) if left > 0 else ()
    headline = describe_headline(items)
    described = items[:MAX_DESCRIBED]
    references = find_references([problem for _, problem, _ in described])
    return MailContent(
        subject=f"{headline} in {quote_apart(workspace.name, MAX_NAME_IN_SUBJECT)}",
        title=headline,
        paragraphs=(f"Workspace {quote_apart(workspace.name)} of Alertcheck at {make_page_address('')}.",),
        sections=tuple(_write_section(slug, *item, role, references.get(item[1].id)) for item in described),
        link=make_page_address(f"/w/{slug}/problems"),
        link_label="Show all problems",
        after_link=(
            *others,
            "You get this mail because you want to be told when a destination of this workspace stops working. To stop "
            f"these mails: {make_page_address(f'/w/{slug}/problems/preferences')}",
        ),
    )


def _write_section(
    slug: str,
    kind: NoticeKind,
    problem: DestinationProblem,
    destination: AlertDestination,
    role: Role,
    reference: str | None,
) -> MailSection:
    target = mask_target(destination, role, current_settings().cipher)
    where = f"{describe_channel(destination.type)}, {isolate_name(target.short or target.text)}"
    begun = format_utc(problem.opened_at)
    if kind is NoticeKind.RECOVERED:
        end = format_utc(problem.closed_at) if problem.closed_at else ""
        lines: tuple[str, ...] = (
            where,
            f"Works again since {end}, after a problem since {begun}.",
            describe_end(problem),
        )
    else:
        since = ". ".join(
            filter(None, [f"{'Since' if is_failure(problem) else 'Noticed'} {begun}", describe_count(problem)])
        )
        step = describe_next_step(problem, destination.type, destination.settings_version)
        cause = describe_cause(problem) + (f" Reference: {reference}." if reference else "")
        lines = (where, f"{since}.", cause, f"Next: {step}")
    link = make_page_address(f"/w/{slug}/destinations/{destination.id}")
    return MailSection(isolate_name(destination.name), lines, link)
