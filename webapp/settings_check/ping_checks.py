"""Checks the address of the administrator's monitoring. Requests nothing: a request would say that a worker works."""

from webapp.app_state import current_settings
from webapp.failures import DeliveryFailed
from webapp.outbound.policy.allowed_targets import check_url
from webapp.settings.private_receivers import EVERY_WORKSPACE
from webapp.settings_check.finding import Finding, Severity


def check_ping() -> list[Finding]:
    """Apply the rules for addresses of receivers to ALERTCHECK_PING_URL, as a worker does before each request."""
    app_settings = current_settings()
    if app_settings.ping_url is None:
        return []
    try:
        check_url(app_settings.ping_url, app_settings.outbound_for(EVERY_WORKSPACE).policy)
    except DeliveryFailed as failure:
        cure = "Correct ALERTCHECK_PING_URL. A private address needs its network in ALERTCHECK_ALLOWED_NETWORKS with *."
        return [Finding("ping", Severity.PROBLEM, f"Nothing can be requested there. {failure.message} {cure}")]
    return [Finding("ping", Severity.OK, "The rules for addresses allow ALERTCHECK_PING_URL.")]
