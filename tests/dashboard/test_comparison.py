"""What became different between two exchanges."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.factories import NOW
from webapp.dashboard.comparison import describe_duration, list_differences
from webapp.outbound.exchange_facts import CertificateDates, ExchangeFacts, ExchangeStep

DAY = timedelta(days=1)
CERTIFICATE = CertificateDates("Example CA", NOW - 30 * DAY, NOW + 60 * DAY)


def _exchange(milliseconds: float = 180.0) -> ExchangeFacts:
    return ExchangeFacts(
        ((ExchangeStep.CONNECT, milliseconds),),
        is_complete=True,
        family=4,
        address="93.184.216.34",
        is_public=True,
        tries=1,
        certificate=CERTIFICATE,
        media_type="application/json",
    )


WORKED = _exchange()
FAILED = replace(WORKED, is_complete=False)


def test_the_same_exchange_has_no_differences() -> None:
    assert list_differences(WORKED, WORKED) == []


@pytest.mark.parametrize(("earlier", "newest"), [(None, WORKED), (WORKED, None), (None, None)])
def test_what_is_not_known_is_not_compared(earlier: ExchangeFacts | None, newest: ExchangeFacts | None) -> None:
    assert list_differences(earlier, newest) == []


@pytest.mark.parametrize(
    ("newest", "sentence"),
    [
        (_exchange(1800), "It took 10 times as long: 1,800 ms instead of 180 ms."),
        (
            replace(WORKED, certificate=replace(CERTIFICATE, not_after=NOW + 150 * DAY)),
            "The certificate was renewed: it expires on 1 October 2026.",
        ),
        (
            replace(WORKED, certificate=replace(CERTIFICATE, not_after=NOW)),
            "The certificate was replaced by an older one: it expires on 4 May 2026.",
        ),
        (
            replace(WORKED, certificate=replace(CERTIFICATE, issuer="Proxy CA")),
            "The certificate was replaced: it was issued by “Proxy CA” instead of “Example CA”, and expires on "
            "3 July 2026.",
        ),
        (replace(WORKED, family=6, address="2606:4700::1"), "The connection used IPv6 instead of IPv4."),
        (replace(FAILED, address="93.184.216.35"), "The connection went to 93.184.216.35 instead of 93.184.216.34."),
        (replace(WORKED, media_type="text/html"), "The response was text/html instead of application/json."),
    ],
)
def test_a_difference_is_one_sentence(newest: ExchangeFacts, sentence: str) -> None:
    assert list_differences(WORKED, newest) == [sentence]


@pytest.mark.parametrize(
    "newest",
    [
        replace(WORKED, address="93.184.216.35"),
        replace(FAILED, address="10.0.0.5", is_public=False),
        replace(WORKED, certificate=None),
        replace(WORKED, media_type=None),
        replace(_exchange(8000), is_complete=False),
    ],
    ids=["one of many addresses", "private address", "no certificate", "no type", "time limit"],
)
def test_what_means_nothing_is_not_mentioned(newest: ExchangeFacts) -> None:
    assert list_differences(WORKED, newest) == []


@pytest.mark.parametrize(
    ("earlier", "newest", "is_slower"),
    [(180, 360, True), (180, 359, False), (50, 150, True), (50, 149, False), (1, 90, False), (0, 5000, False)],
)
def test_slower_is_twice_as_long_and_100_ms_longer(earlier: float, newest: float, is_slower: bool) -> None:
    assert bool(list_differences(_exchange(earlier), _exchange(newest))) is is_slower


def test_a_duration_is_named_if_it_is_known() -> None:
    assert (describe_duration(WORKED), describe_duration(None), describe_duration(ExchangeFacts())) == (
        " in 180 ms",
        "",
        "",
    )
