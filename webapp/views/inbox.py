"""Views of the demo's inbox: the messages that the demo's receivers got, shown as a recipient sees them."""

from typing import Any

from flask import Blueprint, Response, abort, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from webapp.app_state import current_settings
from webapp.auth.sessions import current_account
from webapp.channels import CHANNELS
from webapp.demo.receiver.inbox import Inbox, Received
from webapp.demo.receiver.parsed_mail import ParsedMail
from webapp.demo.receiver.parsed_messages import ParsedMessage, parse_message
from webapp.demo.receiver.scenarios import Scenario, Service
from webapp.demo.receiver_addresses import ReceiverAddresses
from webapp.demo.visits.visits import find_visit, get_public_demo, open_inbox

# Messages on the page.
MESSAGES_SHOWN = 100

_HTTP_SERVICES = (Service.TEAMS, Service.SLACK, Service.WEBHOOK)

bp = Blueprint("inbox", __name__, url_prefix="/demo/inbox")


@bp.get("")
def show() -> str:
    """Show the inbox."""
    return render_template("inbox.html", **_list_newest(), addresses=_list_addresses())


@bp.get("/messages")
def show_messages() -> Response:
    """Return the list of messages, or 204 if the page is current. Query parameter `seen`: the page's newest id."""
    if request.args.get("seen") == str(_open_inbox().newest_id()):
        return Response(status=204)
    return Response(render_template("_inbox_messages.html", **_list_newest()))


@bp.post("/clear")
def clear() -> Redirect:
    """Empty the inbox."""
    _open_inbox().clear()
    return redirect(url_for("inbox.show"), 303)


def _open_inbox() -> Inbox:
    """Return the inbox of the demo, or in a public demo that of the visitor."""
    if not current_settings().is_public_demo:
        return Inbox(current_app.config["DEMO_INBOX"])
    return open_inbox(find_visit(current_account()) or abort(404))


def _list_addresses() -> list[tuple[str, str]]:
    """Return the visitor's addresses of the receiver with the label of their channel, in a public demo."""
    if not current_settings().is_public_demo:
        return []
    visit = find_visit(current_account()) or abort(404)
    addresses = ReceiverAddresses(get_public_demo(), visit.inbox_key)
    services = [(CHANNELS[name].label, addresses.get_url(f"{name}/{Scenario.WORKS}")) for name in _HTTP_SERVICES]
    return [*services, (CHANNELS[Service.EMAIL].label, addresses.get_recipients("desk"))]


def _list_newest() -> dict[str, Any]:
    newest = _open_inbox().list_newest(MESSAGES_SHOWN)
    return {
        "messages": [_parse(received) for received in newest],
        "newest_id": newest[0].id if newest else 0,
        "channels": CHANNELS,
    }


def _parse(received: Received) -> tuple[Received, ParsedMessage, str | None]:
    """Return a message, its parsed form, and the token of its receipt link. A refused message has no token."""
    parsed, was_refused = parse_message(received), received.answered and not received.accepted
    text = parsed.text if isinstance(parsed, ParsedMail) else received.body
    # The page links this token alone, because a message may contain any URL.
    return received, parsed, None if was_refused else current_settings().links.find_token(text)
