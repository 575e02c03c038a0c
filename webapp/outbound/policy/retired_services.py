"""Recognizes the addresses of services that have ended, or soon will: no channel sends to them.

Sources: Microsoft, "Retirement of Office 365 connectors within Microsoft Teams"; Atlassian, "Opsgenie end of support".
"""

from webapp.failures import Cause
from webapp.outbound.policy.hostnames import matches

_CONNECTORS = ("*.webhook.office.com", "webhook.office.com", "*.webhook.office365.us", "webhook.office365.us")

# The hosts of Outlook, where older connectors had the path /webhook.
_OUTLOOK = (
    "outlook.office.com",
    "outlook.office365.com",
    "outlook.office365.us",
    "outlook-dod.office365.us",
    "partner.outlook.cn",
)

_OPSGENIE = ("opsgenie.com", "*.opsgenie.com")


def find_retired_service(host: str, path: str) -> Cause | None:
    """Return the retired service that an address belongs to, or None. host: canonical."""
    is_old_connector = host in _OUTLOOK and path.lower().startswith("/webhook")
    if is_old_connector or matches(host, _CONNECTORS):
        return Cause.TEAMS_CONNECTOR
    return Cause.OPSGENIE if matches(host, _OPSGENIE) else None
