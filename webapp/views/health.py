"""Health checks: whether the process is alive, and whether a press would work."""

from collections.abc import Mapping

from flask import Blueprint, current_app
from flask.blueprints import BlueprintSetupState

from webapp.auth.sessions import public
from webapp.extensions import limiter
from webapp.health.report import OK, SharedReport

bp = Blueprint("health", __name__)

Report = tuple[dict[str, str], int]

_REPORT = "alertcheck_readiness"


@bp.record
def add_report(state: BlueprintSetupState) -> None:
    """Give the application its own report."""
    state.app.extensions[_REPORT] = SharedReport()


def check_parts() -> Mapping[str, str]:
    """Return what is wrong with each part, or "ok". It is checked at most every two seconds."""
    report: SharedReport = current_app.extensions[_REPORT]
    return report.get()


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
    parts = check_parts()
    is_ready = all(reason == OK for reason in parts.values())
    return {"status": "ok" if is_ready else "unavailable", **parts}, 200 if is_ready else 503
