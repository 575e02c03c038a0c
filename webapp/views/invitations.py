"""Views for admins who make, renew and revoke invitations, in a section of the members page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_limiter import RateLimitExceeded
from werkzeug.wrappers import Response

from webapp.account_mail.outcome import MailOutcome
from webapp.account_mail.requesting import is_account_mail_available
from webapp.app_state import current_settings
from webapp.auth.access import Visit, load_visit_to_edit
from webapp.extensions import limiter
from webapp.models import Invitation, Role, database_clock
from webapp.text.ids import parse_id
from webapp.workspaces import invitations
from webapp.workspaces.invitation_forms import ROLES, InvitationForm
from webapp.workspaces.invitation_mails import describe_mails
from webapp.workspaces.invitations import InvitationRefused, NewLink

bp = Blueprint("invitations", __name__, url_prefix="/w/<slug>/members/invitations")

PageResponse = str | tuple[str, int] | Response

# Links of invitations that the admins of one workspace may make, renewals included.
MAX_PER_HOUR = 60

TOO_MANY = f"Not made: this workspace has made {MAX_PER_HOUR} links within an hour. Wait an hour, then try again."

MAILED_TOO = " The invitation is then sent to it by mail too."


@dataclass(frozen=True)
class Invitations:
    """What the section shows.

    listed: the invitations. form: of a new one. new: the address of a link that was just made, which is never shown
    again, or None. new_for: its invitation. refusal: why none was made. mails: where the mail of an invitation stands,
    by its id.
    """

    listed: tuple[Invitation, ...]
    form: InvitationForm
    new: str | None = None
    new_for: Invitation | None = None
    refusal: str | None = None
    mails: Mapping[int, MailOutcome] = field(default_factory=dict)


def load_invitations(
    visit: Visit, form: InvitationForm | None = None, link: NewLink | None = None, refusal: str | None = None
) -> Invitations:
    """Load what the section shows, for admins. Executes one query, and one more if there are invitations by mail."""
    listed = tuple(invitations.list_invitations(visit.workspace.id))
    form = form or InvitationForm(formdata=None)
    if is_account_mail_available():
        form.email.description += MAILED_TOO
    return Invitations(
        listed,
        form,
        _find_address(link.token) if link else None,
        link.invitation if link else None,
        refusal,
        describe_mails(listed, database_clock.now()),
    )


@bp.get("")
def show(slug: str) -> PageResponse:
    """Show the invitations."""
    return _render(load_visit_to_edit(slug))


@bp.post("")
@limiter.limit("30 per minute")
def make(slug: str) -> PageResponse:
    """Make an invitation and show its link, once. Returns 400 for invalid entries, 409 if there can be none."""
    visit, form = load_visit_to_edit(slug), InvitationForm()
    if not form.validate_on_submit():
        return _render(visit, form), 400
    try:
        _count_link()
        link = invitations.make_invitation(visit, Role(form.role.data), form.read_email(), database_clock.now())
    except InvitationRefused as refused:
        return _render(visit, form, refusal=str(refused)), 409
    return _render(visit, link=link)


@bp.get("/<invitation>/mail")
def show_mail(slug: str, invitation: str) -> str:
    """Return the fragment that says where the mail of an invitation stands. It is requested while that is sent."""
    found, now = _load(load_visit_to_edit(slug), invitation), database_clock.now()
    mail = describe_mails([found], now).get(found.id)
    return render_template("_invitation_mail.html", slug=slug, invitation=found, mail=mail, now=now)


@bp.post("/<invitation>/renew")
@limiter.limit("30 per minute")
def renew(slug: str, invitation: str) -> PageResponse:
    """Give an invitation a new link, and show it, once. Returns 409 if there can be none."""
    visit = load_visit_to_edit(slug)
    _load(visit, invitation)
    try:
        _count_link()
        link = invitations.renew_invitation(visit, parse_id(invitation) or abort(404), database_clock.now())
    except InvitationRefused as refused:
        return _render(visit, refusal=str(refused)), 409
    return _render(visit, link=link or abort(404))


@bp.post("/<invitation>/revoke")
@limiter.limit("30 per minute")
def revoke(slug: str, invitation: str) -> PageResponse:
    """End an invitation."""
    visit = load_visit_to_edit(slug)
    invitations.revoke_invitation(_load(visit, invitation), visit.account, database_clock.now())
    if _is_fragment():
        return _render(visit, is_revoked=True)
    flash("The invitation was revoked.")
    return redirect(url_for("invitations.show", slug=slug), 303)


def _load(visit: Visit, invitation: str) -> Invitation:
    return invitations.find_listed(visit.workspace.id, parse_id(invitation) or abort(404)) or abort(404)


def _count_link() -> None:
    """Count a link that an admin makes. Raises `InvitationRefused` if the workspace has made too many."""
    try:
        _count()
    except RateLimitExceeded:
        raise InvitationRefused(TOO_MANY) from None


def _find_slug() -> str:
    return str((request.view_args or {})["slug"])


# Called once the visitor is known to be an admin, so that nobody else uses up what a workspace may make.
@limiter.shared_limit(f"{MAX_PER_HOUR} per hour", scope="links of invitations", key_func=_find_slug)
def _count() -> None:
    """Count one. Raises `RateLimitExceeded`."""


def _find_address(token: str) -> str:
    origin = current_settings().links.public_url or request.host_url.rstrip("/")
    return origin + url_for("invitation.open_link", invitation_token=token)


def _is_fragment() -> bool:
    return bool(request.headers.get("HX-Request"))


def _render(
    visit: Visit,
    form: InvitationForm | None = None,
    link: NewLink | None = None,
    refusal: str | None = None,
    *,
    is_revoked: bool = False,
) -> str:
    """Render the section, or for a browser without JavaScript a page with it: a new link is stored nowhere."""
    template = "_invitations.html" if _is_fragment() else "invitations.html"
    section = load_invitations(visit, form, link, refusal)
    shown = {"invitations": section, "is_revoked": is_revoked, "roles": ROLES, "now": database_clock.now()}
    return render_template(template, visit=visit, **shown)
