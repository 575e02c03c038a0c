"""Lists and exports a workspace's test sends and real alerts, filtered, newest first."""

from webapp.history.export import MAX_ROWS, write_csv
from webapp.history.filters import Cursor, Filter, Kind, parse_cursor, parse_filter
from webapp.history.listing import HistoryEntry, HistoryPage, list_page

__all__ = [
    "MAX_ROWS",
    "Cursor",
    "Filter",
    "HistoryEntry",
    "HistoryPage",
    "Kind",
    "list_page",
    "parse_cursor",
    "parse_filter",
    "write_csv",
]
