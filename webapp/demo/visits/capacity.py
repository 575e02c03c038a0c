"""How many visitors a public demo has at once: in total, from one network, and from the larger network around it."""

import math
from datetime import datetime, timedelta
from ipaddress import ip_network

from sqlalchemy import ColumnElement, select, text, true

from webapp.auth.keyed_hash import hash_key
from webapp.extensions import db
from webapp.models import DemoVisit
from webapp.settings import DemoVisitors

# How long after its end a visit is deleted. Requests and sends that began before the end are over by then.
GRACE_PERIOD = timedelta(minutes=1)

# The network that a provider gives to a larger customer: somebody with one address often has all of it.
_NEIGHBORHOOD = {4: 24, 6: 48}


class TooManyVisitors(Exception):
    """No further visitor is accepted now. seconds: until the next place is free.

    is_network: whether other visitors of the same network take the places.
    """

    def __init__(self, is_network: bool, seconds: int) -> None:
        super().__init__()
        self.is_network, self.seconds = is_network, seconds


def hash_networks(client: str) -> tuple[str, str]:
    """Return the keyed hashes of a client's network and of the larger one around it.

    client: as `webapp.extensions.get_client` returns it.
    """
    return hash_key("demo network", client), hash_key("demo neighborhood", _find_neighborhood(client))


def require_room(visitors: DemoVisitors, network: str, neighborhood: str, now: datetime) -> None:
    """Raise `TooManyVisitors` if there are too many visitors. The answer holds until the end of the transaction."""
    _lock_visits()
    _require(DemoVisit.network == network, visitors.most_per_network, now, is_network=True)
    _require(DemoVisit.neighborhood == neighborhood, 2 * visitors.most_per_network, now, is_network=True)
    _require(true(), visitors.most, now, is_network=False)


def _require(condition: ColumnElement[bool], most: int, now: datetime, is_network: bool) -> None:
    """Count visits that ended too, until they are deleted: their rows are still there."""
    ends = sorted(db.session.scalars(select(DemoVisit.ends_at).where(condition)))
    if len(ends) >= most:
        first = ends[len(ends) - most] if most else now + GRACE_PERIOD
        raise TooManyVisitors(is_network, max(1, math.ceil((first + GRACE_PERIOD - now).total_seconds())))


def _lock_visits() -> None:
    """Make whoever else starts a visit wait for this transaction. Reads go on."""
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE demo_visits IN SHARE ROW EXCLUSIVE MODE"))
    else:  # SQLite has one writer
        db.session.execute(text("UPDATE demo_visits SET ends_at = ends_at WHERE workspace_id = 0"))


def _find_neighborhood(client: str) -> str:
    try:
        network = ip_network(client)
    except ValueError:  # all visitors whose address is not known
        return client
    return str(network.supernet(new_prefix=_NEIGHBORHOOD[network.version]))
