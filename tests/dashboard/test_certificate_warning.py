"""The warning of a certificate that expires soon: from when on, and who renews it."""

from datetime import timedelta

import pytest

from tests.factories import NOW, seconds
from webapp.dashboard.certificate_warning import expires_soon, find_certificate_warning
from webapp.models import AlertDelivery
from webapp.outbound.exchange_facts import CertificateDates

DAY = timedelta(days=1)


def _certificate(life: timedelta, left: timedelta) -> CertificateDates:
    return CertificateDates("Example CA", NOW + left - life, NOW + left)


@pytest.mark.parametrize(
    ("life", "notice"),
    [(6 * DAY, 2 * DAY), (47 * DAY, 47 * DAY / 3), (63 * DAY, 21 * DAY), (90 * DAY, 21 * DAY), (398 * DAY, 21 * DAY)],
    ids=["6 days", "47 days", "63 days", "90 days", "398 days"],
)
def test_the_notice_is_the_last_third_of_the_life_and_at_most_21_days(life: timedelta, notice: timedelta) -> None:
    assert expires_soon(_certificate(life, notice), NOW)
    assert not expires_soon(_certificate(life, notice + seconds(1)), NOW)


def test_an_expired_certificate_counts_as_expiring() -> None:
    assert expires_soon(_certificate(90 * DAY, -DAY), NOW)


def _warn(channel: str, left: timedelta = 5 * DAY) -> str | None:
    dates = {"not_before": (NOW - 80 * DAY).isoformat(), "not_after": (NOW + left).isoformat()}
    return find_certificate_warning(AlertDelivery(exchange={"steps": [], "certificate": dates}), channel, NOW)


@pytest.mark.parametrize(
    ("channel", "sentence"),
    [
        (
            "webhook",
            "The receiver's certificate expires on 9 May 2026. Alerts fail after that unless the owner of the receiver "
            "renews it.",
        ),
        (
            "email",
            "The mail server's certificate expires on 9 May 2026. Alerts fail after that unless the administrator of "
            "the mail server renews it.",
        ),
        ("slack", "Slack's certificate expires on 9 May 2026. Alerts fail after that unless Slack renews it."),
        (
            "pigeon",
            "The receiver's certificate expires on 9 May 2026. Alerts fail after that unless the owner of the receiver "
            "renews it.",
        ),
    ],
)
def test_the_warning_names_the_day_and_who_renews_the_certificate(channel: str, sentence: str) -> None:
    assert _warn(channel) == sentence


def test_an_expired_certificate_may_have_been_renewed_since() -> None:
    assert _warn("webhook", -DAY) == (
        "The receiver's certificate expired on 3 May 2026, unless the owner of the receiver has renewed it since this "
        "test. Send another test to find out."
    )


@pytest.mark.parametrize("exchange", [None, {"steps": []}])
def test_without_a_certificate_there_is_no_warning(exchange: dict[str, object] | None) -> None:
    assert find_certificate_warning(AlertDelivery(exchange=exchange), "webhook", NOW) is None


def test_a_certificate_that_is_valid_for_long_enough_is_not_mentioned() -> None:
    assert _warn("webhook", 60 * DAY) is None
