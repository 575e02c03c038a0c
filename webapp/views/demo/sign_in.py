"""Adds the demo's pages to the application, including sign-in without a password."""

from flask import Blueprint, Flask, abort
from werkzeug.wrappers import Response

from webapp.app_state import app_state
from webapp.auth.sessions import public, start_session
from webapp.demo import seed
from webapp.models import Role
from webapp.views.demo import inbox, panel
from webapp.views.demo.access import init_demo_access
from webapp.views.demo.public_visits import init_public_demo
from webapp.views.sign_in_page import lead_on

bp = Blueprint("demo_sign_in", __name__, url_prefix="/demo")


def register(app: Flask) -> None:
    """Add the demo's pages. Only a demo imports this module and calls this function."""
    if app_state(app).settings.is_public_demo:
        init_public_demo(app)
    else:
        init_demo_access(app)
        app.register_blueprint(bp)
    app.register_blueprint(inbox.bp)
    app.register_blueprint(panel.bp)


@bp.post("/sign-in/<role>")
@public
def sign_in(role: str) -> str | Response:
    """Sign in as the demo account with this role, and lead on to a kept form or to the requested page."""
    account = seed.find_demo_account(Role(role)) if role in list(Role) else None
    start_session(account or abort(404))
    return lead_on()
