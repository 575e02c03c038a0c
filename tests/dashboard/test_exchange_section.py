"""The section about the last exchange: the bar, the numbers, and what each role may see."""

from dataclasses import replace

import pytest

from tests.factories import NOW
from webapp.dashboard.exchange_section import describe_exchange, format_milliseconds, report_exchange
from webapp.models import Role
from webapp.outbound.exchange_facts import CertificateDates, ExchangeFacts, ExchangeStep

STEPS = ((ExchangeStep.LOOKUP, 10.0), (ExchangeStep.CONNECT, 30.0), (ExchangeStep.TLS, 60.0))
COMPLETE = ExchangeFacts(STEPS, is_complete=True, family=4, address="93.184.216.34", is_public=True, tries=1)
PRIVATE = replace(COMPLETE, address="10.1.2.3", is_public=False)


def _facts(exchange: ExchangeFacts, answer_status: int | None = None, role: Role = Role.VIEWER) -> dict[str, str]:
    section = describe_exchange(exchange, answer_status, role)
    assert section is not None
    return dict(section.facts)


def test_the_bar_is_filled_from_the_left_to_the_right() -> None:
    section = describe_exchange(COMPLETE, None, Role.VIEWER)

    assert section is not None
    assert [(step.start, step.width) for step in section.steps] == [(0, 10), (10, 30), (40, 60)]


def test_the_step_at_which_an_exchange_failed_is_marked() -> None:
    section = describe_exchange(replace(COMPLETE, is_complete=False), None, Role.VIEWER)

    assert section is not None
    assert [(step.failed, step.took) for step in section.steps] == [
        (False, "10 ms"),
        (False, "30 ms"),
        (True, "not completed after 60 ms"),
    ]


def test_an_exchange_that_took_no_time_has_a_bar_without_a_width() -> None:
    section = describe_exchange(ExchangeFacts(((ExchangeStep.LOOKUP, 0.0),)), None, Role.VIEWER)

    assert section is not None
    assert section.steps[0].width == 0


@pytest.mark.parametrize("exchange", [None, ExchangeFacts()])
def test_without_an_exchange_there_is_no_section(exchange: ExchangeFacts | None) -> None:
    assert describe_exchange(exchange, 200, Role.ADMIN) is None
    assert report_exchange(exchange, 200) == []


@pytest.mark.parametrize(
    ("duration", "text"),
    [(0, "0.0 ms"), (0.4, "0.4 ms"), (9.94, "9.9 ms"), (9.95, "10 ms"), (180.4, "180 ms"), (3012, "3,012 ms")],
)
def test_a_duration_is_in_milliseconds(duration: float, text: str) -> None:
    assert format_milliseconds(duration) == text


@pytest.mark.parametrize(
    ("exchange", "role", "shown"),
    [
        (COMPLETE, Role.VIEWER, "93.184.216.34 (IPv4)"),
        (replace(COMPLETE, family=6, address="2606:4700::1"), Role.VIEWER, "2606:4700::1 (IPv6)"),
        (replace(COMPLETE, tries=2), Role.VIEWER, "93.184.216.34 (IPv4), address number 2 that was tried"),
        (replace(COMPLETE, is_proxied=True), Role.VIEWER, "93.184.216.34 (IPv4), through the egress proxy"),
        (PRIVATE, Role.ADMIN, "10.1.2.3 (IPv4)"),
        (PRIVATE, Role.SUPPORT, "a private one (IPv4)"),
        (PRIVATE, Role.VIEWER, "a private one (IPv4)"),
        (replace(PRIVATE, address=None), Role.ADMIN, "a private one (IPv4)"),
        (ExchangeFacts(STEPS, is_proxied=True), Role.ADMIN, "the egress proxy was not reached"),
    ],
)
def test_an_address_is_shown_if_it_is_public_or_to_admins(exchange: ExchangeFacts, role: Role, shown: str) -> None:
    assert _facts(exchange, role=role)["Address"] == shown


def test_an_exchange_that_reached_no_address_shows_none() -> None:
    assert "Address" not in _facts(ExchangeFacts(STEPS))


@pytest.mark.parametrize(
    ("facts", "status", "shown"),
    [
        ({"media_type": "text/html", "size": 16384, "is_cut_off": True}, 200, "200, text/html, at least 16,384 bytes"),
        ({"media_type": "text/html", "size": 1}, 200, "200, text/html, 1 byte"),
        ({"size": 0}, 204, "204, empty"),
        ({"size": 2}, 200, "200, no type, 2 bytes"),
        ({}, 250, "250"),
    ],
)
def test_the_response_is_its_status_type_and_size(facts: dict[str, object], status: int, shown: str) -> None:
    assert _facts(replace(COMPLETE, **facts), status)["Response"] == shown  # type: ignore[arg-type]


def test_the_certificate_is_its_issuer_and_its_dates() -> None:
    facts = _facts(replace(COMPLETE, certificate=CertificateDates("Example CA", NOW, NOW)))

    assert facts["Certificate"] == "issued by “Example CA”, valid from 4 May 2026 to 4 May 2026"


def test_the_report_names_no_private_address() -> None:
    assert "10.1.2.3" not in "\n".join(report_exchange(PRIVATE, 200))
    assert "Address: a private one (IPv4)" in report_exchange(PRIVATE, 200)
