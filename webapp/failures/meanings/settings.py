"""Failures of a destination's settings, found before anything is sent."""

from webapp.failures.cause import Cause
from webapp.failures.code import Code, Meaning

SETTINGS: dict[Code, Meaning] = {
    Code.URL_INVALID: Meaning(
        "The address cannot be used as it is written.",
        "Copy the whole address again, exactly as the provider shows it.",
    ),
    Code.SCHEME_NOT_ALLOWED: Meaning(
        "The address{of_host} does not begin with https://.",
        "Enter an address that begins with https://. For a receiver in a network of your organization, ask your "
        "Alertcheck administrator to allow the network in ALERTCHECK_ALLOWED_NETWORKS.",
    ),
    Code.PORT_NOT_ALLOWED: Meaning(
        "The address{of_host} uses a port that is not allowed.",
        "Use an address on port 443. For a receiver in a network of your organization, ask your Alertcheck "
        "administrator to allow the network in ALERTCHECK_ALLOWED_NETWORKS and the port in ALERTCHECK_ALLOWED_PORTS.",
    ),
    Code.HOST_NOT_EXPECTED: Meaning(
        "{host} is not a host that this type of destination may use.",
        "Check that the type of the destination matches its address.",
    ),
    Code.TARGET_NOT_ALLOWED: Meaning(
        "Alertcheck is not allowed to send messages{to_host}.",
        "Use an address on the public internet. For a receiver in a network of your organization, ask your Alertcheck "
        "administrator to allow the network in ALERTCHECK_ALLOWED_NETWORKS.",
    ),
    Code.DEMO_RECEIVER_ONLY: Meaning(
        "This is a demo. It sends messages to its own receiver only, and nothing{to_host}.",
        "Copy an address from the Demo panel, or ask your Alertcheck administrator to start the demo with "
        "ALERTCHECK_DEMO_REAL_RECEIVERS=1.",
    ),
    Code.CONFIG_INCOMPLETE: Meaning(
        "A setting that is required for sending is missing or cannot be used.",
        "Open the settings of the destination, and fill in or correct what is missing or marked.",
    ),
    Code.CONFIG_UNREADABLE: Meaning(
        "Alertcheck cannot decrypt the stored settings of this destination.",
        "Ask your Alertcheck administrator whether the worker lacks an encryption key that the web server has. Only if "
        "the key is lost, enter the settings again.",
    ),
    Code.RECIPIENT_INVALID: Meaning(
        "The address of a recipient is not a valid email address.",
        "Correct the recipients in the settings of the destination.",
    ),
}

# The sentence for each cause, in place of its code's.
RETIREMENT_CAUSES: dict[Cause, str] = {
    Cause.TEAMS_CONNECTOR: (
        "{host} belongs to the connectors of Microsoft Teams, which Microsoft has retired. Create a workflow in Teams "
        "instead, and add it as a destination of type Microsoft Teams."
    ),
    Cause.OPSGENIE: (
        "{host} belongs to Opsgenie, which Atlassian ends on 5 April 2027. Use Jira Service Management instead, and "
        "add it as a destination of type Jira Service Management."
    ),
}
