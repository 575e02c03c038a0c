"""What became of the pings, for the page of the installation and for /metrics."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.models import Ping


@dataclass(frozen=True)
class PingReport:
    """is_set: whether an address is set. accepted_at: when a ping was accepted last.

    code: why the newest one failed, or None.
    """

    is_set: bool
    accepted_at: datetime | None
    code: str | None


def report_pings() -> PingReport:
    """Read what became of the pings. Executes two queries if an address is set, none otherwise."""
    if current_settings().ping_url is None:
        return PingReport(False, None, None)
    accepted_at = db.session.scalar(select(func.max(Ping.accepted_at)))
    newest = db.session.scalars(select(Ping).order_by(Ping.id.desc()).limit(1)).one_or_none()
    return PingReport(True, accepted_at, newest.code if newest else None)
