"""The closed list of the demo receiver's behaviors, and its response for each."""

import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from threading import Lock
from typing import Any

from webapp.demo.receiver.refusals import LATER_SECONDS, MIGRATED, NOT_CLOSED, REFUSALS, TURNED_OFF

BUSY_ATTEMPTS = 2
MESSAGES_REMEMBERED = 1000


class Service(StrEnum):
    """The services that the receiver stands in for."""

    TEAMS = "teams"
    WEBHOOK = "webhook"
    SLACK = "slack"
    DISCORD = "discord"
    TELEGRAM = "telegram"
    PAGERDUTY = "pagerduty"
    GOOGLE_CHAT = "google_chat"
    MATTERMOST = "mattermost"
    NTFY = "ntfy"
    PUSHOVER = "pushover"
    JIRA_SERVICE_MANAGEMENT = "jira_service_management"
    EMAIL = "email"


class Scenario(StrEnum):
    """The behavior of an HTTP service: the second part of its path."""

    WORKS = "works"  # accepts with the service's own response
    MISSING = "missing"  # 404: nothing exists at this address
    BUSY_TWICE = "busy-twice"  # 503 for the first two attempts of a message, then accepts
    SILENT = "silent"  # reads the request and never responds
    DENIED = "denied"  # 401: the credentials are wrong
    SLOW = "slow"  # accepts, after two seconds
    LATER = "later"  # 429: wait for an hour
    MOVED = "moved"  # 308 to `works`; Telegram: 400, the group has a new id
    SIGN_IN = "sign-in"  # 302 to a sign-in page
    WEB_PAGE = "web-page"  # accepts with a web page
    READ_ONLY = "read-only"  # 405: accepts no POST
    GATEWAY = "gateway"  # 504: the service behind a gateway did not answer
    TURNED_OFF = "turned-off"  # refuses with the service's own word for what is turned off
    STAYS_OPEN = "stays-open"  # accepts, but does not close the alert afterwards


class Mailbox(StrEnum):
    """The behavior of the mail server: the part of the recipient before the @. Any other recipient means `WORKS`."""

    WORKS = "works"  # accepts
    UNKNOWN = "unknown"  # 550 at RCPT: no such mailbox
    FULL = "full"  # 552 at RCPT: the mailbox is full
    BUSY_TWICE = "busy-twice"  # 451 after DATA for the first two attempts of a message, then accepts


class Certificate(StrEnum):
    """The certificate of a host of the HTTPS server: the first part of its name. Any other part means `VALID`."""

    VALID = "valid"
    EXPIRED = "expired"
    SELF_SIGNED = "self-signed"
    OTHER_HOST = "other-host"
    EXPIRING = "expiring"  # valid for a few more days


@dataclass(frozen=True)
class Reply:
    """An HTTP response. `status` None: no response.

    wait: seconds before the response is sent.
    retry_after: seconds, for the Retry-After header. location: for the Location header.
    """

    status: int | None
    body: str = ""
    retry_after: int | None = None
    wait: float = 0.0
    media_type: str = "text/plain"
    location: str | None = None

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


def _respond(status: int, body: Mapping[str, Any]) -> Reply:
    return Reply(status, json.dumps(body), media_type="application/json")


def _accept(answer: dict[str, object], status: int = 200) -> Reply:
    return _respond(status, answer)


_PAGE = "<!doctype html><title>Sign in</title><p>Sign in to continue.</p>"
_TURNED_OFF = {Service.SLACK: Reply(403, "invalid_token"), Service.WEBHOOK: Reply(410)}
_FIXED = {
    Scenario.MISSING: Reply(404),
    Scenario.SILENT: Reply(None),
    Scenario.DENIED: Reply(401),
    Scenario.LATER: Reply(429, retry_after=LATER_SECONDS),
    Scenario.MOVED: Reply(308, location="works"),
    Scenario.SIGN_IN: Reply(302, _PAGE, media_type="text/html", location="/sign-in"),
    Scenario.WEB_PAGE: Reply(200, _PAGE, media_type="text/html"),
    Scenario.READ_ONLY: Reply(405),
    Scenario.GATEWAY: Reply(504),
}
_ACCEPTS = {
    Service.TEAMS: Reply(202),
    Service.WEBHOOK: Reply(200),
    Service.SLACK: Reply(200, "ok"),
    Service.DISCORD: _accept({"id": "1440000000000000001"}),
    Service.TELEGRAM: _accept({"ok": True, "result": {"message_id": 1}}),
    Service.PAGERDUTY: _accept({"status": "success", "message": "Event processed", "dedup_key": "demo"}, 202),
    Service.GOOGLE_CHAT: _accept({"name": "spaces/demo/messages/1"}),
    Service.MATTERMOST: Reply(200, "ok"),
    Service.NTFY: _accept({"id": "demo0000demo", "event": "message"}),
    Service.PUSHOVER: _accept({"status": 1, "request": "00000000-0000-4000-8000-000000000000"}),
    Service.JIRA_SERVICE_MANAGEMENT: _accept({"result": "Request will be processed", "requestId": "demo"}, 202),
}


def reply_to(service: Service, scenario: Scenario, attempt: int, *, is_closing: bool = False) -> Reply:
    """Return the HTTP response to the `attempt`-th request (from 1) with the same message.

    is_closing: whether the request closes an alert.
    """
    accepts = _ACCEPTS[service]
    match scenario:
        case Scenario.WORKS:
            return accepts
        case Scenario.BUSY_TWICE:
            return _say(service, Reply(503, retry_after=2)) if attempt <= BUSY_ATTEMPTS else accepts
        case Scenario.SLOW:
            return replace(accepts, wait=2.0)
        case Scenario.TURNED_OFF:
            return _respond(*TURNED_OFF[service]) if service in TURNED_OFF else _TURNED_OFF[service]
        case Scenario.MOVED if service is Service.TELEGRAM:
            return _respond(400, MIGRATED)
        case Scenario.STAYS_OPEN:
            return _respond(*NOT_CLOSED[service]) if is_closing and service in NOT_CLOSED else accepts
    return _say(service, _FIXED[scenario])


def _say(service: Service, reply: Reply) -> Reply:
    """Give a refusal the body that the service gives it."""
    body = REFUSALS.get(service, {}).get(reply.status or 0)
    return replace(reply, body=json.dumps(body), media_type="application/json") if body else reply


def mailbox_of(address: str) -> Mailbox:
    """Return the behavior that a recipient's address selects."""
    local_part = address.partition("@")[0].lower()
    return Mailbox(local_part) if local_part in list(Mailbox) else Mailbox.WORKS


def reply_to_recipient(mailbox: Mailbox) -> MailReply:
    """Return the mail server's reply to RCPT."""
    if mailbox is Mailbox.UNKNOWN:
        return MailReply(550, "5.1.1 No such mailbox")
    if mailbox is Mailbox.FULL:
        return MailReply(552, "5.2.2 Mailbox full")
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
