"""The history: a workspace's test sends and real alerts, filtered, the newest first."""

from webapp.history.export import MOST_ROWS, write_csv
from webapp.history.filters import Filter, Key, Kind, read_filter, read_key
from webapp.history.listing import Entry, Page, list_page

__all__ = [
    "MOST_ROWS",
    "Entry",
    "Filter",
    "Key",
    "Kind",
    "Page",
    "list_page",
    "read_filter",
    "read_key",
    "write_csv",
]
