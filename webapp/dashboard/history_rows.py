"""Draws the rows of the history. A row that shows the same as the last time is not drawn again."""

from collections.abc import Sequence
from datetime import datetime, tzinfo

from flask import get_template_attribute
from markupsafe import Markup

from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.dashboard.drawn_texts import find_drawn, keep_drawn
from webapp.dashboard.time_format import format_moment, format_relative
from webapp.deliveries.badge import describe_outcome
from webapp.history import HistoryEntry

# Rows that a process keeps, of up to 4 KB each with what they were drawn from.
CAPACITY = 1_000


def draw_history_rows(
    visit: Visit, entries: Sequence[HistoryEntry], zone: tzinfo | None, now: datetime
) -> list[Markup]:
    """Draw the rows of these deliveries, with their times in a zone; None for UTC."""
    return [_draw(visit, entry, zone, now) for entry in entries]


def _draw(visit: Visit, entry: HistoryEntry, zone: tzinfo | None, now: datetime) -> Markup:
    rows, version = app_state().drawn_history, _find_version(entry, zone, now)
    drawn: Markup | None = find_drawn(rows, entry.delivery.id, version)
    if drawn is None:
        outcome = describe_outcome(entry.delivery, entry.destination.type)
        drawn = get_template_attribute("_history_row.html", "draw_history_row")(visit, entry, outcome, zone, now)
        keep_drawn(rows, entry.delivery.id, version, drawn, CAPACITY)
    return drawn


def _find_version(entry: HistoryEntry, zone: tzinfo | None, now: datetime) -> object:
    """Return what differs whenever the row does: all that was loaded of the delivery, the names, and the times."""
    delivery, place = entry.delivery, entry.destination
    loaded = {name: value for name, value in vars(delivery).items() if name != "_sa_instance_state"}
    names = (place.id, place.name, place.type, place.deleted_at, entry.rule, entry.tenant, entry.requested_by)
    times = format_moment(delivery.created_at, now, zone), format_relative(delivery.created_at, now)
    return loaded, names, times
