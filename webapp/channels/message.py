"""What a message says, whatever channel it is sent over."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from webapp.text.names import MAX_NAME_LENGTH, clean_name

# The `event_type` of what Alertcheck tells a destination about problems of the others.
NOTICE_EVENT = "alerts.notice"

# The text of the link in a message.
I_SEE_IT = "I see it"


@dataclass(frozen=True)
class Message:
    """The content of a message. Everything except the secret receipt link is stored as the delivery's payload.

    event_type: `alerts.test` for a test send, `NOTICE_EVENT` for a notice about problems.
    reference: the short code that the page shows too.
    message_id: the same for every attempt of one delivery, and for no other delivery of any installation.
    requested_by: the person who pressed Send test, or the rule of a real alert.
    is_drill: whether a schedule requested it, instead of a person.
    alert: the subject of a real alert or a notice, or None for a test send.
    about: which destinations a notice is about: names that are cleaned and short. None for any other message.
    receipt_link: the "I see it" link, or None if there is none.
    """

    event_type: str
    message_id: str
    reference: str
    workspace: str
    destination: str
    requested_by: str
    requested_at: datetime
    alert: str | None = None
    about: str | None = None
    is_drill: bool = False
    receipt_link: str | None = field(default=None, repr=False)

    def with_short_names(self, limit: int) -> "Message":
        """Return the message with names of at most `limit` characters, for a service that accepts few."""
        return replace(
            self,
            workspace=_cut(self.workspace, limit),
            destination=_cut(self.destination, limit),
            requested_by=_cut(self.requested_by, limit),
            alert=None if self.alert is None else _cut(self.alert, limit),
        )

    @property
    def title(self) -> str:
        """The subject and the workspace on one line. The title of a test send begins with [TEST]."""
        workspace = _shorten_name(self.workspace)
        if self.alert is not None:
            return f"{_shorten_name(self.alert)} ({workspace})"
        return f"[TEST] {'Scheduled drill' if self.is_drill else 'Test alert'} from {workspace}"

    @property
    def subject(self) -> str:
        """The title with the reference, for mailboxes, which group messages that have the same subject.

        The reference of a test send comes early, because phones cut a subject after 30 to 40 characters. It is not in
        the brackets, which mailboxes leave out when they compare (RFC 5256, section 2.1).
        Source for Gmail: workspaceupdates.googleblog.com, "Threading changes in Gmail conversation view", March 2019.
        """
        if self.alert is not None:
            return f"{self.title}, {self.reference}"
        kind = "scheduled drill" if self.is_drill else "test alert"
        return f"[TEST] {self.reference}: {kind} from {_shorten_name(self.workspace)}"

    @property
    def explanation(self) -> str:
        """A sentence for the reader of the message: why it was sent."""
        if self.event_type == NOTICE_EVENT:
            return (
                "Alertcheck reports here when other destinations of this workspace stop working. "
                "Open Problems in Alertcheck to see which, why, and what to do."
            )
        if self.alert is not None:
            return "The conditions of an alert rule in this workspace were met."
        if self.is_drill:
            request = (
                f"Press “{I_SEE_IT}” to confirm that you got this." if self.receipt_link else "No action is needed."
            )
            return f"Alertcheck regularly checks whether alerts arrive here. {request}"
        return "Someone pressed Send test to check whether alerts arrive here. No action is needed."

    @property
    def facts(self) -> dict[str, str]:
        """The origin of the message: labels to values, each on one line."""
        return {
            **({"About": self.about} if self.about else {}),
            "Workspace": _shorten_name(self.workspace),
            "Destination": _shorten_name(self.destination),
            "Rule" if self._is_real_alert else "Sent by": _shorten_name(self.requested_by),
            "Sent at": f"{self.requested_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC",
            "Reference": self.reference,
        }

    @property
    def _is_real_alert(self) -> bool:
        return self.alert is not None and self.event_type != NOTICE_EVENT


def _shorten_name(text: str) -> str:
    return clean_name(text)[:MAX_NAME_LENGTH]


def _cut(name: str, limit: int) -> str:
    cleaned = clean_name(name)
    return cleaned if len(cleaned) <= limit else f"{cleaned[: limit - 1]}…"
