"""Lists and exports a workspace's test sends and real alerts, filtered, newest first."""

from webapp.history.export import write_csv
from webapp.history.filter_parsing import DeliveryKind, Filter, parse_filter
from webapp.history.listing import HistoryEntry, is_waiting, list_page, read_entry

__all__ = [
    "DeliveryKind",
    "Filter",
    "HistoryEntry",
    "is_waiting",
    "list_page",
    "parse_filter",
    "read_entry",
    "write_csv",
]
