"""Describes the last exchange with a receiver: how long each step took, where it led, and what the receiver showed."""

from collections.abc import Sequence
from dataclasses import dataclass

from webapp.failures.certificate import format_date, quote
from webapp.models import Role
from webapp.outbound.exchange_facts import ExchangeFacts, ExchangeStep

STEP_LABELS = {
    ExchangeStep.LOOKUP: "Look-up of the name",
    ExchangeStep.CONNECT: "Connection",
    ExchangeStep.TLS: "TLS",
    ExchangeStep.FIRST_BYTE: "First byte",
    ExchangeStep.RESPONSE: "Rest of the response",
    ExchangeStep.GREETING: "Greeting",
    ExchangeStep.MAIL: "Mail session",
}


@dataclass(frozen=True)
class TimedStep:
    """A step and how long it took. start, width: its place in the bar, in percent. failed: the exchange ended here."""

    step: ExchangeStep
    label: str
    took: str
    start: float
    width: float
    failed: bool


@dataclass(frozen=True)
class ExchangeSection:
    """What the section shows. facts: labels and texts, in the order of the page."""

    total: str
    steps: Sequence[TimedStep]
    facts: Sequence[tuple[str, str]]


def describe_exchange(exchange: ExchangeFacts | None, answer_status: int | None, role: Role) -> ExchangeSection | None:
    """Return the section for this role; None if nothing is known. answer_status: the receiver's last response."""
    if exchange is None or not exchange.steps:
        return None
    return ExchangeSection(
        format_milliseconds(exchange.total),
        _place_steps(exchange),
        _list_facts(exchange, answer_status, shows_private=role.may_edit),
    )


def report_exchange(exchange: ExchangeFacts | None, answer_status: int | None) -> list[str]:
    """Return the lines of the report. It is sent to outsiders, so it names public addresses only."""
    if exchange is None or not exchange.steps:
        return []
    steps = "; ".join(
        f"{step.label.lower() if step.label != 'TLS' else step.label} {step.took}" for step in _place_steps(exchange)
    )
    facts = _list_facts(exchange, answer_status, shows_private=False)
    return [
        f"Timing: {steps}; total {format_milliseconds(exchange.total)}",
        *(f"{label}: {text}" for label, text in facts),
    ]


def format_milliseconds(duration: float) -> str:
    """Return a duration in milliseconds: "0.4 ms", "18 ms", "3,012 ms"."""
    return f"{duration:.1f} ms" if duration < 9.95 else f"{duration:,.0f} ms"


def _place_steps(exchange: ExchangeFacts) -> list[TimedStep]:
    scale = 100 / exchange.total if exchange.total else 0.0
    placed, start = [], 0.0
    for number, (step, duration) in enumerate(exchange.steps, 1):
        failed = number == len(exchange.steps) and not exchange.is_complete
        took = f"not completed after {format_milliseconds(duration)}" if failed else format_milliseconds(duration)
        width = duration * scale
        placed.append(TimedStep(step, STEP_LABELS[step], took, round(start, 2), round(width, 2), failed))
        start += width
    return placed


def _list_facts(exchange: ExchangeFacts, answer_status: int | None, *, shows_private: bool) -> list[tuple[str, str]]:
    texts = {
        "Address": _describe_address(exchange, shows_private),
        "Certificate": _describe_certificate(exchange),
        "Response": _describe_response(exchange, answer_status),
        "Redirects to": exchange.redirect_host or "",
    }
    return [(label, text) for label, text in texts.items() if text]


def _describe_address(exchange: ExchangeFacts, shows_private: bool) -> str:
    proxied = ", through the egress proxy" if exchange.is_proxied else ""
    if exchange.family is None:
        return "the egress proxy was not reached" if exchange.is_proxied else ""
    tries = f", address number {exchange.tries} that was tried" if exchange.tries > 1 else ""
    is_shown = exchange.address is not None and (exchange.is_public or shows_private)
    return f"{exchange.address if is_shown else 'a private one'} (IPv{exchange.family}){proxied}{tries}"


def _describe_certificate(exchange: ExchangeFacts) -> str:
    certificate = exchange.certificate
    if certificate is None:
        return ""
    issuer = f"issued by {quote(certificate.issuer)}, " if certificate.issuer else ""
    return f"{issuer}valid from {format_date(certificate.not_before)} to {format_date(certificate.not_after)}"


def _describe_response(exchange: ExchangeFacts, answer_status: int | None) -> str:
    status = "" if answer_status is None else str(answer_status)
    if exchange.size is None:
        return status
    at_least, s = "at least " if exchange.is_cut_off else "", "" if exchange.size == 1 else "s"
    size = f"{at_least}{exchange.size:,} byte{s}" if exchange.size else "empty"
    media_type = exchange.media_type or ("no type" if exchange.size else "")
    return ", ".join(filter(None, (status, media_type, size)))
