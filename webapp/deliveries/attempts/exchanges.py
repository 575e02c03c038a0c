"""The facts of a delivery's last exchange, as stored in its row, without unknown facts and defaults."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.outbound.exchange_facts import CertificateDates, ExchangeFacts, ExchangeStep

_PLAIN = (
    "is_complete",
    "family",
    "address",
    "is_public",
    "tries",
    "is_proxied",
    "media_type",
    "size",
    "is_cut_off",
    "redirect_host",
)
_DEFAULTS = vars(ExchangeFacts())
_STEPS = {step.value: step for step in ExchangeStep}


def write_exchange(facts: ExchangeFacts) -> dict[str, Any] | None:
    """Return the value of the `exchange` column, or None if nothing was exchanged."""
    if not facts.steps:
        return None
    stored: dict[str, Any] = {"steps": [[step.value, duration] for step, duration in facts.steps]}
    stored |= {name: value for name in _PLAIN if (value := getattr(facts, name)) != _DEFAULTS[name]}
    return stored | _write_certificate(facts.certificate)


def read_exchange(delivery: AnyDelivery) -> ExchangeFacts | None:
    """Return the facts of a delivery's last exchange; None if there was none, or an older version made it."""
    stored = delivery.exchange
    if not stored:
        return None
    # A newer version may know more steps and facts.
    steps = tuple((_STEPS[name], float(duration)) for name, duration in stored["steps"] if name in _STEPS)
    plain = {name: stored[name] for name in _PLAIN if name in stored}
    return ExchangeFacts(steps=steps, certificate=read_certificate(stored), **plain)


def read_certificate(stored: Mapping[str, Any]) -> CertificateDates | None:
    """Return the certificate in a stored value of the column, or None."""
    certificate = stored.get("certificate")
    if certificate is None:
        return None
    not_before, not_after = (datetime.fromisoformat(certificate[name]) for name in ("not_before", "not_after"))
    return CertificateDates(certificate.get("issuer"), not_before, not_after)


def _write_certificate(certificate: CertificateDates | None) -> dict[str, Any]:
    if certificate is None:
        return {}
    issuer = {} if certificate.issuer is None else {"issuer": certificate.issuer}
    dates = {name: getattr(certificate, name).astimezone(UTC).isoformat() for name in ("not_before", "not_after")}
    return {"certificate": issuer | dates}
