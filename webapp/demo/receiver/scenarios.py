"""The closed list of the demo receiver's behaviors, and its response for each."""

from collections import OrderedDict
from dataclasses import dataclass
from enum import StrEnum
from threading import Lock

BUSY_ATTEMPTS = 2
MESSAGES_REMEMBERED = 1000


class Service(StrEnum):
    """The services that the receiver stands in for."""

    TEAMS = "teams"
    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"


class Scenario(StrEnum):
    """The behavior of an HTTP service: the second part of its path."""

    WORKS = "works"  # accepts with the service's own response
    MISSING = "missing"  # 404: nothing exists at this address
    BUSY_TWICE = "busy-twice"  # 503 for the first two attempts of a message, then accepts
    SILENT = "silent"  # reads the request and never responds
    DENIED = "denied"  # 401: the credentials are wrong
    SLOW = "slow"  # accepts, after two seconds


class Mailbox(StrEnum):
    """The behavior of the mail server: the part of the recipient before the @. Any other recipient means `WORKS`."""

    WORKS = "works"  # accepts
    UNKNOWN = "unknown"  # 550 at RCPT: no such mailbox
    BUSY_TWICE = "busy-twice"  # 451 after DATA for the first two attempts of a message, then accepts


@dataclass(frozen=True)
class Reply:
    """An HTTP response. `status` None: no response.

    wait: seconds before the response is sent.
    retry_after: seconds, for the Retry-After header.
    """

    status: int | None
    body: str = ""
    retry_after: int | None = None
    wait: float = 0.0

    @property
    def accepts(self) -> bool:
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True)
class MailReply:
    """An SMTP reply."""

    code: int
    text: str

    @property
    def accepts(self) -> bool:
        return 200 <= self.code < 300

    def __str__(self) -> str:
        return f"{self.code} {self.text}"


_ACCEPTS = {Service.TEAMS: Reply(202), Service.WEBHOOK: Reply(200), Service.SLACK: Reply(200, "ok")}


def reply_to(service: Service, scenario: Scenario, attempt: int) -> Reply:
    """Return the HTTP response to the `attempt`-th request (from 1) with the same message."""
    accepts = _ACCEPTS[service]
    match scenario:
        case Scenario.WORKS:
            return accepts
        case Scenario.MISSING:
            return Reply(404)
        case Scenario.BUSY_TWICE:
            return Reply(503, retry_after=2) if attempt <= BUSY_ATTEMPTS else accepts
        case Scenario.SILENT:
            return Reply(None)
        case Scenario.DENIED:
            return Reply(401)
        case Scenario.SLOW:
            return Reply(accepts.status, accepts.body, wait=2.0)


def mailbox_of(address: str) -> Mailbox:
    """Return the behavior that a recipient's address selects."""
    local_part = address.partition("@")[0].lower()
    return Mailbox(local_part) if local_part in list(Mailbox) else Mailbox.WORKS


def reply_to_recipient(mailbox: Mailbox) -> MailReply:
    """Return the mail server's reply to RCPT."""
    if mailbox is Mailbox.UNKNOWN:
        return MailReply(550, "5.1.1 No such mailbox")
    return MailReply(250, "2.1.5 Recipient accepted")


def reply_to_mail(mailbox: Mailbox, attempt: int) -> MailReply:
    """Return the mail server's reply to the `attempt`-th DATA (from 1) with the same message."""
    if mailbox is Mailbox.BUSY_TWICE and attempt <= BUSY_ATTEMPTS:
        return MailReply(451, "4.3.0 Busy, try again later")
    return MailReply(250, "2.0.0 Message accepted")


class Attempts:
    """Counts the attempts of each message, for the most recently tried messages. Thread-safe."""

    def __init__(self) -> None:
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._lock = Lock()

    def count(self, message: str) -> int:
        """Count one more attempt of `message` and return the number of its attempts so far."""
        with self._lock:
            attempt = self._counts.pop(message, 0) + 1
            self._counts[message] = attempt
            if len(self._counts) > MESSAGES_REMEMBERED:
                self._counts.popitem(last=False)
            return attempt
