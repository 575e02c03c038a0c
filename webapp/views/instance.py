"""The page of the installation: what works, what does not, and what to do."""

from flask import Blueprint, render_template

from webapp.auth.instance_admins import load_instance_admin
from webapp.instance.installation import describe_installation
from webapp.models import database_clock
from webapp.views.health import check_parts

bp = Blueprint("instance", __name__, url_prefix="/instance")


@bp.get("")
def show() -> str:
    """Show the state of the installation."""
    load_instance_admin()
    installation = describe_installation(check_parts(), database_clock.now())
    return render_template("instance.html", installation=installation)
