"""Lists and exports a workspace's test sends and real alerts, filtered, newest first."""

from webapp.history.export import write_csv
from webapp.history.filter_parsing import DeliveryFilter, DeliveryKind, parse_filter
from webapp.history.listing import HistoryEntry, is_waiting, list_page, read_entry

__all__ = [
    "DeliveryFilter",
    "DeliveryKind",
    "HistoryEntry",
    "is_waiting",
    "list_page",
    "parse_filter",
    "read_entry",
    "write_csv",
]
