"""Lists, filters and exports the audit trail, and deletes what is older than the retention."""
