"""The demo's workspaces, and their destinations with the earlier tests of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from webapp.failures import Code


@dataclass(frozen=True)
class PastTest:
    """The outcome of an earlier test. code: why it failed; None if it was sent. status: the receiver's status."""

    code: Code | None = None
    status: int | None = None


@dataclass(frozen=True)
class Planned:
    """A destination to add.

    to: `service/scenario` of the receiver, or the recipients of an email.
    past: its newest test. before: the codes of the earlier tests, oldest first; None means sent.
    was_changed: whether its settings were changed between the earlier tests and the newest.
    settings: those that have a form of their own. Any other required secret is random.
    """

    name: str
    channel: str
    to: str
    past: PastTest | None = None
    before: tuple[Code | None, ...] = ()
    was_changed: bool = False
    is_enabled: bool = True
    settings: Mapping[str, str] = field(default_factory=dict)


ALL_SENT = (None,) * 6
UNAVAILABLE_ONCE = (None, None, None, Code.REMOTE_UNAVAILABLE, None, None, None)
ALL_REFUSED = (Code.RECIPIENTS_REFUSED,) * 3

# Secrets of the form that each service gives them, which nothing but the demo's receiver knows.
BOT = {"bot_token": "1440000001:AAdemo-demo-demo-demo-demo-demo-dem", "chat_id": "-440000001"}
PUSHOVER_KEYS = {"app_token": "ademo0demo0demo0demo0demo0demo", "user_key": "udemo0demo0demo0demo0demo0demo"}

WORKSPACES = {
    ("harbor", "Harbor Logistics"): (
        Planned("Operations channel", "teams", "teams/works", PastTest(status=202), UNAVAILABLE_ONCE),
        Planned(
            "On-call email",
            "email",
            "works@oncall.demo.example, desk@oncall.demo.example",
            PastTest(status=250),
            ALL_SENT,
        ),
        Planned("Ticket system", "webhook", "webhook/works"),
        Planned("Incident room", "slack", "slack/works"),
        Planned(
            "Old ticket system", "webhook", "webhook/missing", PastTest(Code.NOT_FOUND, 404), ALL_SENT, was_changed=True
        ),
        Planned("Warehouse alarms", "webhook", "webhook/busy-twice"),
        Planned("Yard gateway", "webhook", "webhook/silent"),
        Planned("Night shift channel", "teams", "teams/works", PastTest(Code.DESTINATION_DISABLED), is_enabled=False),
        Planned("Harbor incidents", "pagerduty", "pagerduty/works", PastTest(status=202), ALL_SENT),
        Planned("Dispatch team", "discord", "discord/works", PastTest(status=200), ALL_SENT),
        Planned("Truck drivers", "telegram", "telegram/moved", settings=BOT),
        Planned("Gate phones", "ntfy", "ntfy/works", settings={"topic": "harbor-gate-demo"}),
    ),
    ("clinic", "Mill Street Clinic"): (
        Planned("Reception channel", "teams", "teams/works"),
        Planned(
            "Duty doctor email",
            "email",
            "unknown@wards.demo.example",
            PastTest(Code.RECIPIENTS_REFUSED, 550),
            ALL_REFUSED,
        ),
        Planned("Lab system", "webhook", "webhook/slow", PastTest(status=200), UNAVAILABLE_ONCE),
        Planned("Facility channel", "teams", "teams/denied"),
        Planned("Clinic space", "google_chat", "google_chat/works", PastTest(status=200), ALL_SENT),
        Planned("Duty phone", "pushover", "pushover/works", settings=PUSHOVER_KEYS),
        Planned("Building team", "mattermost", "mattermost/works"),
        Planned("Clinic alerts", "jira_service_management", "jira_service_management/works", PastTest(status=202)),
    ),
}

# The workspace of each visitor of a public demo: every badge, and most of what a press can come to.
NOT_FOR_VISITORS = {"Incident room", "Yard gateway"}
VISITOR_WORKSPACE = (
    "Harbor Logistics",
    tuple(plan for plan in WORKSPACES["harbor", "Harbor Logistics"] if plan.name not in NOT_FOR_VISITORS),
)
