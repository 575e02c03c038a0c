"""The demo's inbox: what reached the far ends, shown as its reader would see it."""

from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as Redirect

from webapp.app_state import current_settings
from webapp.channels import CHANNELS
from webapp.demo.receiver.inbox import Inbox, Received
from webapp.demo.receiver.parsed_mail import ParsedMail
from webapp.demo.receiver.parsed_messages import ParsedMessage, parse_message

SHOWN = 100

bp = Blueprint("inbox", __name__, url_prefix="/demo/inbox")


@bp.get("")
def show() -> str:
    """Show the page."""
    return render_template("inbox.html", **_list_newest())


@bp.get("/messages")
def show_messages() -> Response:
    """Answer the list alone, or 204 if the one on the page (`seen`: its newest id) is still the newest."""
    if request.args.get("seen", type=int) == _open_inbox().newest_id():
        return Response(status=204)
    return Response(render_template("_inbox_messages.html", **_list_newest()))


@bp.post("/clear")
def clear() -> Redirect:
    """Empty the inbox."""
    _open_inbox().clear()
    return redirect(url_for("inbox.show"), 303)


def _open_inbox() -> Inbox:
    return Inbox(current_app.config["DEMO_INBOX"])


def _list_newest() -> dict[str, Any]:
    newest = _open_inbox().list_newest(SHOWN)
    return {
        "messages": [_read(received) for received in newest],
        "newest_id": newest[0].id if newest else 0,
        "channels": CHANNELS,
    }


def _read(received: Received) -> tuple[Received, ParsedMessage, str | None]:
    """Read a message, and find the token of its link, unless it was refused: nobody would have seen that one."""
    parsed, was_refused = parse_message(received), received.answered and not received.accepted
    text = parsed.text if isinstance(parsed, ParsedMail) else received.body
    # Only this leads anywhere: a message may hold any address.
    return received, parsed, None if was_refused else current_settings().links.find_token(text)
