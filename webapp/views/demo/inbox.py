"""Views of the demo's inbox: the messages that the demo's receivers got, shown as a recipient sees them."""

from typing import Any

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from webapp.app_state import current_settings
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.demo.message_sources import read_messages
from webapp.demo.places import OwnDestinations, list_own_destinations
from webapp.demo.receiver.messages.parsing import parse_message
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.visits.visits import find_receiver
from webapp.models import AlertDestination
from webapp.text.ids import parse_id

# Messages on the page.
MESSAGES_SHOWN = 100

bp = Blueprint("inbox", __name__, url_prefix="/demo/inbox")


@bp.get("")
def show() -> str:
    """Show the inbox. Query parameter `destination`: the id of the only destination to show."""
    return render_template("inbox.html", **_list_newest())


@bp.get("/messages")
def show_messages() -> Response:
    """Return the list of messages, or 204 if the page is current. Query parameter `seen`: the page's newest id."""
    if request.args.get("seen") == str(_find_receiver().inbox.newest_id()):
        return Response(status=204)
    return Response(render_template("_inbox_messages.html", **_list_newest()))


@bp.post("/clear")
def clear() -> Redirect:
    """Empty the inbox."""
    _find_receiver().inbox.clear()
    return redirect(url_for("inbox.show", destination=request.args.get("destination")), 303)


def _find_receiver() -> ReceiverAddresses:
    return find_receiver(current_account()) or abort(404)


def _list_newest() -> dict[str, Any]:
    receiver = _find_receiver()
    newest = receiver.inbox.list_newest()
    own = list_own_destinations(current_account())
    chosen = _find_chosen(own)
    shown = newest if chosen else newest[:MESSAGES_SHOWN]
    parsed = [(received, parse_message(received)) for received in shown]
    messages = read_messages(parsed, own, current_settings(), receiver)
    if chosen:
        messages = [message for message in messages if message.source and message.source[0].id == chosen.id]
    return {
        "messages": messages[:MESSAGES_SHOWN],
        "newest_id": newest[0].id if newest else 0,
        "own": own,
        "chosen": chosen,
        "channels": CHANNELS,
    }


def _find_chosen(own: OwnDestinations) -> AlertDestination | None:
    """Return the destination whose messages alone are shown, or None for all. Aborts with 404 if it is not the own."""
    given = request.args.get("destination")
    if not given:
        return None
    return next((destination for destination, _ in own if destination.id == parse_id(given)), None) or abort(404)
