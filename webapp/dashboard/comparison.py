"""Compares the newest test with an earlier one that was accepted: what became different in between."""

from collections.abc import Iterator

from webapp.dashboard.exchange_section import format_milliseconds
from webapp.failures.certificate import format_date, quote
from webapp.outbound.exchange_facts import CertificateDates, ExchangeFacts

# A response counts as slower if it took this many times as long, and so many milliseconds longer.
SLOWER_TIMES, SLOWER_MILLISECONDS = 2, 100


def list_differences(earlier: ExchangeFacts | None, newest: ExchangeFacts | None) -> list[str]:
    """Return a sentence for each difference between two exchanges; none if one of them is not known."""
    if earlier is None or newest is None:
        return []
    return [
        *_compare_addresses(earlier, newest),
        *_compare_certificates(earlier, newest),
        *_compare_responses(earlier, newest),
    ]


def describe_duration(exchange: ExchangeFacts | None) -> str:
    """Return how long an exchange took (" in 180 ms"), or nothing if that is not known."""
    return f" in {format_milliseconds(exchange.total)}" if exchange and exchange.steps else ""


def _compare_addresses(earlier: ExchangeFacts, newest: ExchangeFacts) -> Iterator[str]:
    if earlier.family is None or newest.family is None:
        return
    if earlier.family != newest.family:
        yield f"The connection used IPv{newest.family} instead of IPv{earlier.family}."
    # Large services have many addresses, so another one matters only if the exchange failed.
    elif newest.failed_step and earlier.is_public and newest.is_public and earlier.address != newest.address:
        yield f"The connection went to {newest.address} instead of {earlier.address}."


def _compare_certificates(earlier: ExchangeFacts, newest: ExchangeFacts) -> Iterator[str]:
    old, new = earlier.certificate, newest.certificate
    if old is None or new is None or old == new:
        return
    if old.issuer != new.issuer and old.issuer and new.issuer:
        yield (
            f"The certificate was replaced: it was issued by {quote(new.issuer)} instead of {quote(old.issuer)}, and "
            f"expires on {format_date(new.not_after)}."
        )
    elif old.not_after != new.not_after:
        yield f"The certificate was {_renewed(old, new)}: it expires on {format_date(new.not_after)}."


def _renewed(old: CertificateDates, new: CertificateDates) -> str:
    return "renewed" if new.not_after > old.not_after else "replaced by an older one"


def _compare_responses(earlier: ExchangeFacts, newest: ExchangeFacts) -> Iterator[str]:
    if not earlier.is_complete or not newest.is_complete:
        return
    old, new = earlier.total, newest.total
    if old and new >= SLOWER_TIMES * old and new - old >= SLOWER_MILLISECONDS:
        yield (
            f"It took {new / old:.0f} times as long: {format_milliseconds(new)} instead of {format_milliseconds(old)}."
        )
    if earlier.media_type and newest.media_type and earlier.media_type != newest.media_type:
        yield f"The response was {newest.media_type} instead of {earlier.media_type}."
