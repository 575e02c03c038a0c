"""The page of an invitation: for whoever opens its link, with an account or without.

The link's token moves to a cookie at once, so that it stays neither in the address bar nor in what leads back from a
sign-in, which may be at another site. The page's forms contain it, so each accepts what its own page showed.

Opening the link, or having a program look at it, changes nothing.
"""

from flask import Blueprint, abort, flash, make_response, redirect, render_template, request, url_for
from flask_login import current_user
from markupsafe import Markup
from werkzeug.wrappers import Response

from webapp.auth.access import find_role
from webapp.auth.known_clients import remember_client
from webapp.auth.one_time_tokens import hash_token
from webapp.auth.password_sign_in import require_passwords
from webapp.auth.password_strength import WeakPassword
from webapp.auth.sessions import current_account, end_session, public, start_session
from webapp.destinations.recipient_masking import mask_recipient
from webapp.extensions import get_client, limiter
from webapp.models import Account, Workspace, database_clock
from webapp.views.headers import PRIVATE_HEADERS
from webapp.workspaces.invitation_acceptance import (
    AddressTaken,
    InvitationEnded,
    MemberAlready,
    OpenInvitation,
    OtherAccountNeeded,
    accept,
    accept_with_new_account,
    open_invitation,
)
from webapp.workspaces.invitation_cookie import INVITATION_PAGE, keep_token, read_kept_token
from webapp.workspaces.invitation_forms import ROLES, NewAccountForm

bp = Blueprint("invitation", __name__, url_prefix=INVITATION_PAGE)

PageResponse = str | tuple[str, int] | Response


FIELD = "invitation"

TAKEN = "No account was made: there may be one with this address. If it is yours, sign in."
JOINED = Markup("You are now a member of <bdi>{}</bdi>, as {}.")


def _is_refused(response: Response) -> bool:
    return response.status_code == 404


def _is_taken(response: Response) -> bool:
    return response.status_code == 409


# Of one network, for all addresses of these pages together.
limit_wrong_tokens = limiter.shared_limit("30 per minute", scope="invitation", deduct_when=_is_refused)


@bp.after_request
def keep_out_of_search_engines(response: Response) -> Response:
    """Set the header on every page of an invitation, error pages included.

    Only the address that contains the token sends no referrer at all: from the others, it proves where a form is from.
    """
    response.headers["X-Robots-Tag"] = PRIVATE_HEADERS["X-Robots-Tag"]
    if request.endpoint == "invitation.open_link":
        response.headers.update(PRIVATE_HEADERS)
    return response


@bp.get("/open/<invitation_token>")
@public
@limit_wrong_tokens
@limiter.limit("60 per minute")
def open_link(invitation_token: str) -> PageResponse:
    """Move the token of a link from the address to a cookie, and lead to the page."""
    if open_invitation(invitation_token, database_clock.now()) is None:
        return _respond_ended()
    response = redirect(url_for("invitation.show"), 303)
    keep_token(response, invitation_token)
    return response


@bp.get("")
@public
@limit_wrong_tokens
@limiter.limit("60 per minute")
def show() -> PageResponse:
    """Show who invites to what, and what the visitor can do."""
    token = read_kept_token()
    opened = open_invitation(token, database_clock.now())
    return _render(opened, token, NewAccountForm(formdata=None)) if opened else _respond_ended()


@bp.post("")
@public
@limit_wrong_tokens
@limiter.limit("10 per minute")
# Whoever has a link learns by it whether an address has an account, until an account is made and the link used up.
@limiter.limit("5 per hour", key_func=lambda: hash_token(_find_token(), "taken address"), deduct_when=_is_taken)
def make_account() -> PageResponse:
    """Make an account for the visitor, who then is a member and signed in."""
    token, now = _find_token(), database_clock.now()
    opened = open_invitation(token, now)
    if opened is None:
        return _respond_ended()
    require_passwords()
    form = NewAccountForm()
    if opened.invitation.email is not None:
        del form.email
    if not form.validate_on_submit():
        return _render(opened, token, form), 400
    try:
        account, workspace = accept_with_new_account(token, form.read(), now)
    except InvitationEnded:
        return _respond_ended()
    except WeakPassword as reason:
        form.password.errors = [str(reason)]
        return _render_again(token, form), 400
    except AddressTaken:
        return _render_again(token, form, TAKEN), 409
    remember_client(account, get_client(), now)
    start_session(account)
    return _lead_to(workspace, account)


@bp.post("/join")
@limit_wrong_tokens
@limiter.limit("10 per minute")
def join() -> PageResponse:
    """Make the visitor, who is signed in, a member."""
    token, account = _find_token(), current_account()
    try:
        workspace = accept(token, account, database_clock.now())
    except InvitationEnded:
        return _respond_ended()
    except (OtherAccountNeeded, MemberAlready):  # the page says which
        return _render_again(token, NewAccountForm(formdata=None)), 409
    return _lead_to(workspace, account)


@bp.post("/other-account")
def use_other_account() -> PageResponse:
    """Sign the visitor out, and lead to the sign-in page and back."""
    end_session()
    return redirect(url_for("sign_in.show_sign_in", next=url_for("invitation.show")), 303)


def _find_token() -> str:
    return request.form.get(FIELD, "")


def _render_again(token: str, form: NewAccountForm, problem: str | None = None) -> str:
    """Render the page of a form that was refused. Aborts with 404 if the invitation has ended meanwhile."""
    opened = open_invitation(token, database_clock.now())
    return _render(opened, token, form, problem) if opened else abort(_respond_ended())


def _render(opened: OpenInvitation, token: str, form: NewAccountForm, problem: str | None = None) -> str:
    email, account = opened.invitation.email, current_account() if current_user.is_authenticated else None
    if email is not None and form.email:
        del form.email
    is_shown = opened.is_mailed or (account is not None and account.email == email)
    return render_template(
        "invitation.html",
        opened=opened,
        token=token,
        form=form,
        problem=problem,
        email=email if is_shown or email is None else mask_recipient(email),
        account=account,
        is_admitted=account is not None and opened.admits(account.email),
        role=find_role(opened.workspace, account) if account else None,
        abilities=ROLES,
        now=database_clock.now(),
    )


def _respond_ended() -> Response:
    """Respond for every link that does not work, whether it has ended or never existed."""
    response = make_response(render_template("invitation_ended.html"), 404)
    keep_token(response, "")
    return response


def _lead_to(workspace: Workspace, account: Account) -> Response:
    """Lead a new member to the workspace."""
    flash(JOINED.format(workspace.name, find_role(workspace, account)))
    response = redirect(url_for("workspaces.show", slug=workspace.slug), 303)
    keep_token(response, "")
    return response
