"""Views for admins who see who is a member of a workspace, change a role or remove a member."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_visit_to_edit
from webapp.auth.sign_in_methods import find_sign_in_methods
from webapp.dashboard.member_list import load_member_list, parse_member_query
from webapp.database.sessions import discard_transaction
from webapp.extensions import db, limiter
from webapp.models import Member, Role, database_clock
from webapp.text.ids import parse_id
from webapp.text.names import isolate_name
from webapp.views.invitations import load_invitations
from webapp.workspaces import admin_member_changes
from webapp.workspaces.invitation_forms import ROLES
from webapp.workspaces.membership_rules import ChangeRefused, find_obstacle, is_managed_by_groups, list_grantable_roles
from webapp.workspaces.removal_effects import assess_removal

bp = Blueprint("members", __name__, url_prefix="/w/<slug>/members")

PageResponse = tuple[str, int] | Response

_changes = limiter.shared_limit("60 per minute", scope="changes of members")


@bp.get("")
def show(slug: str) -> str:
    """List the members."""
    visit, query = load_visit_to_edit(slug), parse_member_query(request.args)
    listed = load_member_list(visit.workspace.id, query)
    return render_template(
        "members.html",
        visit=visit,
        query=query,
        members=listed,
        invitations=load_invitations(visit),
        roles=ROLES,
        now=database_clock.now(),
    )


@bp.get("/<account_id>")
def show_member(slug: str, account_id: str) -> str:
    """Show one member, and what an admin can change about the membership."""
    visit = load_visit_to_edit(slug)
    return _render_member("member.html", visit, _load_member(visit, account_id))


@bp.get("/<account_id>/role")
def confirm_role(slug: str, account_id: str) -> str:
    """Ask whether to change a role, and show what that ends."""
    visit = load_visit_to_edit(slug)
    return _render_member(
        "member_role.html", visit, _load_member(visit, account_id), role=_read_role(request.args.get("role"))
    )


@bp.post("/<account_id>/role")
@_changes
def change_role(slug: str, account_id: str) -> PageResponse:
    """Change a role. Whoever lowers themselves is asked first. Returns 409 with the reason if it is refused."""
    visit = load_visit_to_edit(slug)
    member, role = _load_member(visit, account_id), _read_role(request.form.get("role"))
    is_own = member.account_id == visit.account.id
    if is_own and role.is_below(member.role) and "confirmed" not in request.form:
        return redirect(url_for("members.confirm_role", slug=slug, account_id=account_id, role=role), 303)
    account, name = member.account, isolate_name(member.account.name)
    try:
        changed = admin_member_changes.change_role(visit, account, role, database_clock.now())
    except (ChangeRefused, admin_member_changes.NotAdmin, admin_member_changes.MemberGone) as reason:
        return _refuse(slug, account_id, name, reason)
    granted = db.session.get_one(Member, (visit.workspace.id, account.id)).role
    if is_own:
        there = isolate_name(visit.workspace.name)
        flash(
            f"You are now {granted} in {there}." if changed else f"Not changed: you are already {granted} in {there}."
        )
        return redirect(url_for("members.show" if granted.may_edit else "workspaces.show", slug=slug), 303)
    flash(f"{name} is now {granted}." if changed else f"Not changed: {name} is already {granted}.")
    return redirect(url_for("members.show", slug=slug), 303)


@bp.get("/<account_id>/remove")
def confirm_removal(slug: str, account_id: str) -> str:
    """Ask whether to remove a member, and show what that ends."""
    visit = load_visit_to_edit(slug)
    return _render_member("member_remove.html", visit, _load_member(visit, account_id))


@bp.post("/<account_id>/remove")
@_changes
def remove(slug: str, account_id: str) -> PageResponse:
    """Remove a member. Returns 409 with the reason if it is refused."""
    visit = load_visit_to_edit(slug)
    account = _load_member(visit, account_id).account
    name, workspace = isolate_name(account.name), isolate_name(visit.workspace.name)
    try:
        admin_member_changes.end_membership(visit, account, database_clock.now())
    except (ChangeRefused, admin_member_changes.NotAdmin, admin_member_changes.MemberGone) as reason:
        return _refuse(slug, account_id, name, reason)
    is_own = account.id == visit.account.id
    if account.is_support_everywhere:
        flash(f"{'You are' if is_own else f'{name} is'} now only support in {workspace}, as in every workspace.")
        return redirect(url_for("workspaces.show" if is_own else "members.show", slug=slug), 303)
    flash(f"You have left {workspace}." if is_own else f"{name} is no longer a member.")
    return redirect(url_for("workspaces.home") if is_own else url_for("members.show", slug=slug), 303)


def _refuse(slug: str, account_id: str, name: str, reason: Exception) -> PageResponse:
    """Show why nothing was changed, to whoever is still an admin."""
    discard_transaction()
    visit = load_visit_to_edit(slug)
    if isinstance(reason, ChangeRefused):
        return _render_member("member.html", visit, _load_member(visit, account_id), refusal=str(reason)), 409
    if isinstance(reason, admin_member_changes.NotAdmin):
        abort(403)
    flash(f"{name} is no longer a member. Somebody else has removed them.")
    return redirect(url_for("members.show", slug=slug), 303)


def _load_member(visit: Visit, account_id: str) -> Member:
    """Load a member. Aborts with 404 if the id is unknown, foreign or not a number."""
    key = (visit.workspace.id, parse_id(account_id) or abort(404))
    return db.session.get(Member, key) or abort(404)


def _read_role(text: str | None) -> Role:
    return Role(text) if text in list(Role) else abort(400)


def _render_member(
    template: str, visit: Visit, member: Member, refusal: str | None = None, role: Role | None = None
) -> str:
    """Render a page about one member. refusal: why the last change was refused, if it was."""
    return render_template(
        template,
        visit=visit,
        member=member,
        role=role,
        refusal=refusal,
        is_own=member.account_id == visit.account.id,
        roles=list_grantable_roles(member),
        words_of_roles=ROLES,
        obstacle=find_obstacle(member, None),
        is_managed=is_managed_by_groups(member),
        methods=find_sign_in_methods([member.account_id])[member.account_id],
        impact=assess_removal(member.account_id, visit.workspace.id, database_clock.now()),
    )
