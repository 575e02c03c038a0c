"""Views of the presenter's panel: what the demo's receiver does next, its addresses to copy, and the reset."""

import re
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from webapp.app_state import current_settings
from webapp.audit import find_actor
from webapp.auth.access import load_destination, load_visit
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.demo import outcomes, places
from webapp.demo.receiver.scenarios import Certificate, Service
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.reset import reset_demo
from webapp.demo.visits.visits import find_receiver
from webapp.environment.demo_hosts import SERVICE_HOSTS
from webapp.models import database_clock
from webapp.settings import Demo

bp = Blueprint("demo_panel", __name__, url_prefix="/demo/panel")

_MARK = re.compile(r"[\w-]{43}", re.ASCII)


@bp.get("")
def show() -> str:
    """Show the panel. Query parameters: the outcome of each service's address, and the `sig` of all addresses."""
    receiver, app_settings = _find_receiver(), current_settings()
    return render_template(
        "demo_panel.html",
        places=places.list_places(current_account(), app_settings, receiver),
        hosts=places.list_certificates(receiver.demo),
        certificates=outcomes.CERTIFICATES,
        channels=CHANNELS,
        **_compose_addresses(receiver),
    )


@bp.post("/w/<slug>/destinations/<destination_id>")
def switch(slug: str, destination_id: str) -> Response:
    """Switch what the receiver does with a destination's messages. Form field `outcome`: empty switches it back."""
    destination = load_destination(load_visit(slug), destination_id)
    choices = outcomes.list_responses(Service(destination.type)) if destination.type in list(Service) else {}
    value = request.form.get("outcome", "")
    outcome = outcomes.find_choice(value, choices) or (abort(400) if value else None)
    places.switch(destination, outcome, current_settings(), _find_receiver())
    return redirect(url_for("demo_panel.show", _anchor=f"next-{destination.id}"), 303)


@bp.post("/hosts/<service>")
def switch_certificate(service: str) -> Response:
    """Switch the certificate of a service's host. Form field `certificate`."""
    value = request.form.get("certificate", "")
    certificate = Certificate(value) if value in list(Certificate) else abort(400)
    places.switch_certificate(SERVICE_HOSTS.get(service) or abort(404), certificate, _get_demo())
    return redirect(url_for("demo_panel.show", _anchor=f"certificate-{service}"), 303)


@bp.get("/reset")
def confirm_reset() -> str:
    """Show what a reset does."""
    return render_template("demo_reset.html")


@bp.post("/reset")
def reset() -> Response:
    """Take the demo back to its beginning."""
    by = find_actor(current_account())
    reset_demo(current_settings(), _get_demo(), database_clock.now(), by)
    flash("The demo is back at its beginning.")
    return redirect(url_for("workspaces.home"), 303)


def _get_demo() -> Demo:
    return current_settings().demo or abort(404)


def _find_receiver() -> ReceiverAddresses:
    return find_receiver(current_account()) or abort(404)


def _compose_addresses(receiver: ReceiverAddresses) -> dict[str, Any]:
    given = request.args.get("sig", "")
    mark = given if _MARK.fullmatch(given) else outcomes.make_mark()
    return {
        "mark": mark,
        "addresses": [_compose(service, receiver, mark) for service in Service if service in CHANNELS],
    }


def _compose(service: Service, receiver: ReceiverAddresses, mark: str) -> dict[str, Any]:
    choices = outcomes.list_addresses(service, receiver.demo)
    chosen = outcomes.find_choice(request.args.get(service, ""), choices) or next(iter(choices))
    address = outcomes.compose_address(service, chosen, receiver, mark)
    return {"service": service, "choices": choices, "chosen": chosen, "text": address}
