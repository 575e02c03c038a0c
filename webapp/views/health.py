"""Health checks: whether the process is alive, and whether a press would work."""

from flask import Blueprint
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from webapp import queue
from webapp.auth.sessions import public
from webapp.extensions import db, limiter

bp = Blueprint("health", __name__)

Report = tuple[dict[str, str], int]


@bp.get("/healthz")
@limiter.exempt
@public
def show_liveness() -> Report:
    """Return 200 while the process can respond."""
    return {"status": "ok"}, 200


@bp.get("/readyz")
@limiter.exempt
@public
def show_readiness() -> Report:
    """Return 200 if a press would work, else 503 with a reason for each part that would fail."""
    parts = {"database": _check_database(), **_check_queue()}
    is_ready = all(reason == "ok" for reason in parts.values())
    return {"status": "ok" if is_ready else "unavailable", **parts}, 200 if is_ready else 503


def _check_database() -> str:
    try:
        db.session.execute(text("SELECT count(*) FROM alert_deliveries WHERE id < 0"))
    except SQLAlchemyError as error:
        db.session.rollback()
        return f"does not respond, or is not migrated ({type(error).__name__})"
    return "ok"


def _check_queue() -> dict[str, str]:
    try:
        alive = queue.is_worker_alive()
    except queue.QueueUnavailable:
        return {"queue": "does not respond", "worker": "unknown, because the queue does not respond"}
    worker = "ok" if alive else f"no heartbeat for {queue.HEARTBEAT_TTL} s: start alertcheck worker"
    return {"queue": "ok", "worker": worker}
