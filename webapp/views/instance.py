"""The page of the installation: what works, what does not, and what to do."""

from flask import Blueprint, render_template

from webapp.auth.instance_admins import load_instance_admin
from webapp.instance.installation_state import describe_installation
from webapp.models import database_clock
from webapp.views.health import check_parts
from webapp.views.instance_mail import describe_check

bp = Blueprint("instance", __name__, url_prefix="/instance")


@bp.get("")
def show() -> str:
    """Show the state of the installation."""
    account, now = load_instance_admin(), database_clock.now()
    installation = describe_installation(check_parts(), now)
    return render_template("instance.html", installation=installation, **describe_check(account, now))
