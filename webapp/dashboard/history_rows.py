"""Draws the rows of the history. A row that shows the same as the last time is not drawn again."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

from flask import get_template_attribute
from markupsafe import Markup

from webapp.app_state import app_state
from webapp.auth.access import Visit
from webapp.dashboard.drawn_text_cache import find_drawn, keep_drawn
from webapp.dashboard.time_format import find_age_change
from webapp.database.driver_rows import DriverRow
from webapp.deliveries.badge import describe_outcome
from webapp.history import HistoryEntry, read_entry


class _KeptRow(NamedTuple):
    """A row, and the time for which its age is true."""

    row: Markup
    since: datetime
    until: datetime


# Rows that a process keeps, of up to 4 KB each with what they were drawn from.
CAPACITY = 1_000


def draw_history_rows(visit: Visit, rows: Sequence[DriverRow], zone: tzinfo | None, now: datetime) -> list[Markup]:
    """Draw the rows of a page of the history, with their times in a zone; None for UTC."""
    today = now.astimezone(zone or UTC)
    day = today.date(), today.utcoffset()  # with the zone, decides how a time is shown
    drawn, texts = [], app_state().drawn_history
    for row in rows:
        key, version = (row[0], zone), (row, day)
        kept: _KeptRow | None = find_drawn(texts, key, version)
        if kept is None or not kept.since <= now < kept.until:
            kept = _draw(visit, read_entry(row), zone, now)
            keep_drawn(texts, key, version, kept, CAPACITY)
        drawn.append(kept.row)
    return drawn


def _draw(visit: Visit, entry: HistoryEntry, zone: tzinfo | None, now: datetime) -> _KeptRow:
    outcome = describe_outcome(entry.delivery, entry.destination.type)
    drawn: Markup = get_template_attribute("_history_row.html", "draw_history_row")(visit, entry, outcome, zone, now)
    return _KeptRow(drawn, now, find_age_change(entry.delivery.created_at, now))
