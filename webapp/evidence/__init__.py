"""The evidence report: what was tested in a period, with what outcome, and what was done about it."""
