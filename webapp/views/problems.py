"""Views of the problems of a workspace, and of who wants to be told about them."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.auth.access import load_visit
from webapp.extensions import limiter
from webapp.models import database_clock
from webapp.notices.listing import load_problems
from webapp.notices.mail_state import find_mail_trouble
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
        trouble=find_mail_trouble(),
        now=database_clock.now(),
    )


@bp.get("/preferences")
def show_preferences(slug: str) -> str:
    """Show whether the visitor gets mails about problems."""
    visit = load_visit(slug)
    return render_template(
        "problem_preferences.html",
        visit=visit,
        choice=find_choice(visit.workspace.id, visit.account.id, visit.role),
        trouble=find_mail_trouble(),
    )


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
