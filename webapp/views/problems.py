"""Views of the problems of a workspace, and of who wants to be told about them."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import Visit, load_destination, load_visit, load_visit_to_edit
from webapp.extensions import limiter
from webapp.models import AlertDestination, database_clock
from webapp.notices.chosen_destination import choose_destination
from webapp.notices.chosen_destination_health import describe_obstacle, describe_obstacle_step, list_offered
from webapp.notices.listing import load_problems, load_target
from webapp.notices.page_header import load_mail_trouble
from webapp.notices.recipients import choose, find_choice

bp = Blueprint("problems", __name__, url_prefix="/w/<slug>/problems")


@bp.get("")
def show(slug: str) -> str:
    """List the open problems, and those that ended lately."""
    visit = load_visit(slug)
    return render_template(
        "problems.html",
        visit=visit,
        page=load_problems(visit.workspace.id, visit.role),
        trouble=load_mail_trouble(visit),
        target=load_target(visit.workspace.id),
        now=database_clock.now(),
    )


@bp.get("/preferences")
def show_preferences(slug: str) -> str:
    """Show whether the visitor gets mails about problems, and which destination is told."""
    return _render_preferences(load_visit(slug))


@bp.post("/preferences")
@limiter.limit("60 per minute")
def change_preferences(slug: str) -> Response:
    """Store whether the visitor wants mails about problems."""
    visit = load_visit(slug)
    wanted = {"yes": True, "no": False}.get(request.form.get("mail", ""))
    if wanted is None:
        abort(400)
    choose(visit.workspace.id, visit.account.id, wanted, database_clock.now())
    flash(
        "Saved. You get a mail when a destination of this workspace stops working."
        if wanted
        else "Saved. You get no mails about destinations of this workspace."
    )
    return redirect(url_for("problems.show_preferences", slug=slug), 303)


@bp.post("/destination")
@limiter.limit("60 per minute")
def change_destination(slug: str) -> tuple[str, int] | Response:
    """Store which destination (`destination`, empty for none) is told about problems. Admins only."""
    visit = load_visit_to_edit(slug)
    wanted = request.form.get("destination")
    if wanted is None:
        abort(400)
    destination = load_destination(visit, wanted) if wanted else None
    obstacle = choose_destination(visit.workspace, visit.account, destination, database_clock.now())
    if obstacle is not None:
        sentences = (describe_obstacle(obstacle), describe_obstacle_step(obstacle))
        return _render_preferences(visit, destination, " ".join(filter(None, sentences))), 400
    flash("Saved. The destination is told about problems." if destination else "Saved. No destination is told.")
    return redirect(url_for("problems.show_preferences", slug=slug), 303)


def _render_preferences(visit: Visit, refused: AlertDestination | None = None, error: str = "") -> str:
    return render_template(
        "problem_preferences.html",
        visit=visit,
        choice=find_choice(visit.workspace.id, visit.account.id, visit.role),
        trouble=load_mail_trouble(visit),
        target=load_target(visit.workspace.id),
        offered=list_offered(visit.workspace.id) if visit.role.may_edit else (),
        refused=refused,
        error=error,
    )
