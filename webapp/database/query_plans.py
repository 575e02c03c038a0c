"""Which statements of web requests PostgreSQL plans once for each connection, instead of anew for each request."""

# An execution option for a statement that looks everything up by key, so that one plan serves all values. Planning the
# statement of a status fragment takes several times as long as executing it.
PLAN_ONCE = "alertcheck_plan_once"
