"""Lists, filters and exports the audit trail, and deletes what is older than the retention."""

from webapp.audit_trail.choices import list_actions, list_people
from webapp.audit_trail.export import write_csv
from webapp.audit_trail.filters import ACTORS_BY_KEY, AuditFilter, parse_filter
from webapp.audit_trail.listing import EVERYTHING, INSTALLATION, AuditEntry, Trail, list_page
from webapp.audit_trail.retention import AuditRetention

__all__ = [
    "ACTORS_BY_KEY",
    "EVERYTHING",
    "INSTALLATION",
    "AuditEntry",
    "AuditFilter",
    "AuditRetention",
    "Trail",
    "list_actions",
    "list_page",
    "list_people",
    "parse_filter",
    "write_csv",
]
