"""Checks the private networks that workspaces may send to: whether the workspaces exist, and the own servers' names."""

from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

from webapp.app_state import current_settings
from webapp.failures import DeliveryFailed
from webapp.outbound import OutboundClient
from webapp.outbound.transport.own_servers import find_own_addresses
from webapp.settings.private_receivers import PrivateReceivers
from webapp.settings_check.finding import Finding, Severity
from webapp.single_sign_on.group_roles import find_workspaces

PART = "private"


def check_private_receivers() -> list[Finding]:
    """Compare ALERTCHECK_ALLOWED_NETWORKS with the workspaces, and look up the installation's own servers."""
    app_settings = current_settings()
    if not app_settings.private_receivers.networks:
        return []
    found = [*_check_workspaces(app_settings.private_receivers), *_check_own_servers(app_settings.outbound)]
    return found or [Finding(PART, Severity.OK, "The workspaces of ALERTCHECK_ALLOWED_NETWORKS exist.")]


def _check_workspaces(private_receivers: PrivateReceivers) -> Iterator[Finding]:
    named = private_receivers.slugs
    try:
        missing = named - {workspace.slug for workspace in find_workspaces(named)}
    except SQLAlchemyError:
        yield Finding(
            PART, Severity.NOTE, "The workspaces of ALERTCHECK_ALLOWED_NETWORKS were not checked: no database."
        )
        return
    if missing:
        text = f"ALERTCHECK_ALLOWED_NETWORKS names workspaces that do not exist: {', '.join(sorted(missing))}."
        yield Finding(PART, Severity.NOTE, text)


def _check_own_servers(outbound: OutboundClient) -> Iterator[Finding]:
    try:
        find_own_addresses(outbound.policy.own_servers, "", outbound.resolver, outbound.limits.lookup)
    except DeliveryFailed:
        text = (
            "One of Alertcheck's own servers cannot be looked up, so nothing is sent to private receivers. Check the "
            "hosts in DATABASE_URL, REDIS_URL, ALERTCHECK_MAIL_URL and ALERTCHECK_EGRESS_PROXY, and the DNS."
        )
        yield Finding(PART, Severity.PROBLEM, text)
