"""The instance admin's pages of workspaces: list, open, rename, give an admin, delete."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.audit import Actor
from webapp.auth.instance_admins import load_instance_admin
from webapp.database.numbered_pages import parse_page
from webapp.extensions import db
from webapp.instance.first_admin import (
    MYSELF,
    explain_missing,
    find_active_account,
    find_first_admin,
    make_first_admin,
)
from webapp.instance.workspaces import (
    WorkspaceFilter,
    has_admin,
    list_deleted_workspaces,
    list_workspaces,
    load_workspace_row,
)
from webapp.models import Workspace, database_clock
from webapp.text.names import NameInvalid, isolate_name, read_name
from webapp.text.search_text import read_search_text
from webapp.text.slugs import InvalidSlug, read_slug
from webapp.views.instance_access import limit_changes, load_actor
from webapp.workspaces import membership_rules, workspace_changes, workspace_deletion

bp = Blueprint("instance_workspaces", __name__, url_prefix="/instance")

PageResponse = tuple[str, int] | str | Response

FIELDS = ("name", "slug", "first", "email")
NOTHING = dict.fromkeys(FIELDS, "")


@bp.get("/workspaces")
def show_all() -> str:
    """List the workspaces, by name."""
    load_instance_admin()
    which = request.args.get("show", "")
    selected = WorkspaceFilter(which) if which in list(WorkspaceFilter) else WorkspaceFilter.ALL
    text = read_search_text(request.args.get("q"))
    page = list_workspaces(text, selected, parse_page(request.args.get("page")))
    return render_template("instance_workspaces.html", page=page, text=text, selected=selected)


@bp.get("/add-workspace")
def show_form() -> str:
    """Show the form of a new workspace."""
    load_instance_admin()
    return _render_form(NOTHING | {"first": MYSELF}, {})


@bp.post("/add-workspace")
@limit_changes
def add() -> PageResponse:
    """Open a workspace, with its first admin. Returns 400 with the form if something in it is wrong."""
    account, by = load_actor()
    typed = {field: request.form.get(field, "").strip() for field in FIELDS}
    errors: dict[str, str] = {}
    admin = find_first_admin(typed, account, errors)
    workspace = _open(typed, by, errors)
    if workspace is None or errors:
        db.session.rollback()
        return _render_form(typed, errors), 400
    if admin is not None:
        make_first_admin(workspace, admin, by)
    db.session.commit()
    flash(f"{isolate_name(workspace.name)} was added.")
    if admin is not None and admin.id == account.id:
        return redirect(url_for("workspaces.show", slug=workspace.slug), 303)
    return redirect(url_for(".show", slug=workspace.slug), 303)


@bp.get("/workspaces/<slug>")
def show(slug: str) -> str:
    """Show one workspace, and nothing that is in it."""
    load_instance_admin()
    return _render_workspace(_load(slug))


@bp.post("/workspaces/<slug>/rename")
@limit_changes
def rename(slug: str) -> PageResponse:
    """Change the name. Returns 400 with the form if it is not one."""
    _, by = load_actor()
    workspace = _load(slug)
    try:
        name = read_name(request.form.get("name", ""))
    except NameInvalid as reason:
        return _render_workspace(workspace, {"name": str(reason)}), 400
    workspace_changes.rename_workspace(workspace, name, database_clock.now(), by)
    db.session.commit()
    flash(f"The workspace is now called {isolate_name(name)}.")
    return redirect(url_for(".show", slug=slug), 303)


@bp.post("/workspaces/<slug>/admin")
@limit_changes
def give_admin(slug: str) -> PageResponse:
    """Make an account the admin of a workspace that has none.

    Returns 400 with the form without such an account, 409 if the workspace has an admin, who decides about members.
    """
    _, by = load_actor()
    workspace = _load(slug)
    if has_admin(workspace):
        return _render_workspace(workspace, {"email": "This workspace has an admin, who adds members."}), 409
    admin = find_active_account(request.form.get("email", ""))
    if admin is None:
        return _render_workspace(workspace, {"email": explain_missing(request.form.get("email", ""))}), 400
    try:
        make_first_admin(workspace, admin, by)
    except membership_rules.ChangeRefused as reason:
        db.session.rollback()
        return _render_workspace(_load(slug), {"email": str(reason)}), 409
    db.session.commit()
    flash(f"{admin.email} is now an admin of {isolate_name(workspace.name)}.")
    return redirect(url_for(".show", slug=slug), 303)


@bp.get("/workspaces/<slug>/delete")
def confirm_deletion(slug: str) -> str:
    """Show what a deletion loses."""
    load_instance_admin()
    return _render_deletion(_load(slug), None)


@bp.post("/workspaces/<slug>/delete")
@limit_changes
def delete(slug: str) -> PageResponse:
    """Delete a workspace whose slug was typed. Returns 400 with the page if it was not."""
    _, by = load_actor()
    workspace = _load(slug)
    if request.form.get("slug", "").strip() != workspace.slug:
        return _render_deletion(workspace, "This is not the slug of the workspace."), 400
    name = isolate_name(workspace.name)
    try:
        workspace_deletion.delete_workspace(workspace, database_clock.now(), by)
    except workspace_deletion.WorkspaceGone:  # somebody else deleted it at the same moment
        db.session.rollback()
    db.session.commit()
    flash(f"{name} was deleted. A worker removes what is left of it.")
    return redirect(url_for(".show_all"), 303)


@bp.get("/deleted-workspaces")
def show_deleted() -> str:
    """List the workspaces that were deleted."""
    load_instance_admin()
    page = list_deleted_workspaces(parse_page(request.args.get("page")))
    return render_template("instance_deleted.html", page=page, now=database_clock.now())


def _load(slug: str) -> Workspace:
    return workspace_changes.find_workspace(slug) or abort(404)


def _open(typed: dict[str, str], by: Actor, errors: dict[str, str]) -> Workspace | None:
    try:
        name = read_name(typed["name"])
    except NameInvalid as reason:
        errors["name"] = str(reason)
    try:
        slug = read_slug(typed["slug"])
        return None if errors else workspace_changes.open_workspace(slug, name, database_clock.now(), by)
    except (InvalidSlug, workspace_changes.SlugUsed) as reason:
        errors["slug"] = str(reason)
    return None


def _render_form(typed: dict[str, str], errors: dict[str, str]) -> str:
    return render_template("instance_workspace_add.html", typed=typed, errors=NOTHING | errors)


def _render_workspace(workspace: Workspace, errors: dict[str, str] | None = None) -> str:
    row = load_workspace_row(workspace)
    return render_template(
        "instance_workspace.html", row=row, errors=NOTHING | (errors or {}), now=database_clock.now()
    )


def _render_deletion(workspace: Workspace, error: str | None) -> str:
    impact = workspace_deletion.assess_deletion(workspace)
    return render_template("instance_workspace_delete.html", workspace=workspace, impact=impact, error=error)
