"""Views that store an account's time zone: as its browser reports it, or as its owner chooses it."""

from collections.abc import Iterable
from itertools import groupby

from flask import Blueprint, Flask, abort, flash, redirect, request, url_for
from werkzeug.wrappers import Response

from webapp.auth import account_time_zones
from webapp.auth.account_time_zones import UnknownTimeZone
from webapp.auth.sessions import current_account
from webapp.extensions import limiter
from webapp.time_zones import find_zone, list_places

# The page that has the form.
FORM_PAGE = "auth.show_password"

bp = Blueprint("time_zones", __name__, url_prefix="/account")

_per_account = limiter.shared_limit("30 per 15 minutes", "time zones", key_func=lambda: str(current_account().id))


def init_time_zones(app: Flask) -> None:
    """Give the templates the zone of whoever is shown a page, and the zones to choose from."""
    app.jinja_env.globals |= {
        "viewer_zone": account_time_zones.viewer_zone,
        "list_zone_choices": list_zone_choices,
        "find_zone": find_zone,
        "time_zone_page": FORM_PAGE,
    }


def list_zone_choices(stored: str) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """Yield each area with its zones: their names, and what they are called within the area.

    stored: the name that is chosen now; empty if there is none. It is among the zones, whatever it is.
    """
    other = {"UTC", stored} - {"", *list_places()}
    yield "Other", [(name, name) for name in sorted(other)]
    for area, names in groupby(list_places(), key=lambda name: name.partition("/")[0]):
        yield area, [(name, name.partition("/")[2].replace("_", " ")) for name in names]


@bp.post("/time-zone")
@_per_account
def change() -> Response:
    """Change the time zone in which the account's owner reads times."""
    try:
        account_time_zones.change_time_zone(current_account(), request.form.get("zone", ""))
    except UnknownTimeZone:
        flash("Your time zone was not changed. Choose one from the list.")
    else:
        flash("Times are now shown in your new time zone.")
    return redirect(url_for(FORM_PAGE, _anchor="time-zone"), 303)


@bp.post("/browser-time-zone")
@_per_account
def report() -> Response:
    """Note the browser's time zone if none is stored yet."""
    try:
        account_time_zones.report_time_zone(current_account(), request.form.get("zone", ""))
    except UnknownTimeZone:
        abort(400)
    return Response(status=204)
