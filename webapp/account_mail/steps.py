"""How far an attempt to send a mail got: noted while it is made, stored in its row, and listed for the page."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from webapp.models import AccountMail
from webapp.outbound import ExchangeFacts, ExchangeRecorder, MailServer
from webapp.outbound.exchange_facts import ExchangeStep
from webapp.outbound.smtp.mail_server import MailSecurity
from webapp.outbound.smtp.steps import Step


class MailStep(StrEnum):
    """A step as people know it, in the order of a connection that begins without TLS."""

    CONNECT = "connect"
    GREETING = "greeting"
    TLS = "tls"
    SIGN_IN = "sign_in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    MESSAGE = "message"
    ACCEPTED = "accepted"


class StepState(StrEnum):
    """What became of a step. UNUSED: the settings of the mail server do not ask for it."""

    DONE = "done"
    FAILED = "failed"
    NOT_REACHED = "not_reached"
    UNUSED = "unused"


@dataclass(frozen=True)
class ListedStep:
    """A step as the page lists it. reply: the mail server's reply code, where it decided, or None."""

    step: MailStep
    label: str
    state: StepState
    reply: int | None = None


_LABELS = {
    MailStep.CONNECT: "Connect to the mail server",
    MailStep.GREETING: "Greet each other",
    MailStep.TLS: "Encrypt the connection (TLS)",
    MailStep.SIGN_IN: "Sign in",
    MailStep.SENDER: "Name the sender",
    MailStep.RECIPIENT: "Name the recipient",
    MailStep.MESSAGE: "Hand over the message",
    MailStep.ACCEPTED: "Accepted by the mail server",
}
_AT = {
    Step.HELLO: MailStep.GREETING,
    Step.START_TLS: MailStep.TLS,
    Step.SIGN_IN: MailStep.SIGN_IN,
    Step.SENDER: MailStep.SENDER,
    Step.RECIPIENT: MailStep.RECIPIENT,
    Step.DATA: MailStep.MESSAGE,
    Step.END_OF_DATA: MailStep.ACCEPTED,
}
_AT_EXCHANGE = {
    ExchangeStep.LOOKUP: MailStep.CONNECT,
    ExchangeStep.CONNECT: MailStep.CONNECT,
    ExchangeStep.TLS: MailStep.TLS,
    ExchangeStep.GREETING: MailStep.GREETING,
}


class StepRecorder:
    """Notes the steps of one attempt."""

    def __init__(self) -> None:
        self._server: MailServer | None = None
        self._exchange = ExchangeRecorder()
        self._reached = Step.GREETING
        self._reply: int | None = None

    def start(self, server: MailServer) -> ExchangeRecorder:
        """Begin, and return what collects the facts of the exchange."""
        self._server = server
        return self._exchange

    def note(self, step: Step) -> None:
        """Note that a step of the conversation begins."""
        self._reached = step

    def note_reply(self, reply: int | None) -> None:
        """Note the reply code of the mail server that decided."""
        self._reply = reply

    def write(self) -> dict[str, Any] | None:
        """Return the value of the column `steps`; None if the mail server was not tried."""
        facts = self._exchange.facts
        if self._server is None or not facts.steps:
            return None
        stopped_at = _find_stop(facts, self._reached, self._server.security)
        stored = {
            "stopped_at": stopped_at.value if stopped_at else None,
            "security": self._server.security.value,
            "signs_in": self._server.username is not None,
        }
        return stored if self._reply is None else stored | {"reply": self._reply}


def list_steps(mail: AccountMail) -> list[ListedStep]:
    """Return the steps of a mail's last attempt; none if it did not try the mail server.

    Also none if a newer version stored a step that this one does not know: then nobody can say where it stopped.
    """
    stored = mail.steps
    if not stored or stored["stopped_at"] not in (None, *MailStep):
        return []
    unused = set(_list_unused(stored))
    order = _list_order(stored)
    stopped_at = stored["stopped_at"]
    stop = len(order) if stopped_at is None else order.index(MailStep(stopped_at))
    decisive = MailStep(stopped_at or MailStep.ACCEPTED)
    return [
        ListedStep(
            step,
            _LABELS[step],
            StepState.UNUSED if step in unused else _find_state(number, stop),
            stored.get("reply") if step is decisive else None,
        )
        for number, step in enumerate(order)
    ]


def _find_stop(facts: ExchangeFacts, reached: Step, security: MailSecurity) -> MailStep | None:
    failed = facts.failed_step
    if failed is None:
        return None
    if failed in _AT_EXCHANGE:
        return _AT_EXCHANGE[failed]
    has_encrypted = any(step is ExchangeStep.TLS for step, _ in facts.steps)
    if reached is Step.HELLO and security is MailSecurity.STARTTLS and has_encrypted:
        return MailStep.TLS  # the greeting is repeated there
    return _AT.get(reached, MailStep.GREETING)


def _list_order(stored: Mapping[str, Any]) -> list[MailStep]:
    order = list(MailStep)
    if stored["security"] == MailSecurity.TLS:  # encrypted from the first byte on
        order.remove(MailStep.TLS)
        order.insert(1, MailStep.TLS)
    return order


def _list_unused(stored: Mapping[str, Any]) -> Iterator[MailStep]:
    if stored["security"] == MailSecurity.NONE:
        yield MailStep.TLS
    if not stored["signs_in"]:
        yield MailStep.SIGN_IN


def _find_state(number: int, stop: int) -> StepState:
    if number == stop:
        return StepState.FAILED
    return StepState.DONE if number < stop else StepState.NOT_REACHED
