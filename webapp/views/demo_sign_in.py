"""The demo's way in: look around without an account."""

from flask import Blueprint, abort, redirect, url_for
from werkzeug.wrappers import Response

from webapp.auth.sessions import public, start_session
from webapp.demo.seed import find_demo_account

bp = Blueprint("demo_sign_in", __name__, url_prefix="/demo")


@bp.post("/sign-in/<role>")
@public
def sign_in(role: str) -> Response:
    """Sign in as one of the demo's people."""
    account = find_demo_account(role)
    if account is None:
        abort(404)
    start_session(account)
    return redirect(url_for("workspaces.home"))
