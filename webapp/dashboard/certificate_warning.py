"""Warns beside Sent of a certificate that expires soon, and says who renews it."""

from datetime import datetime, timedelta

from webapp.channels import CHANNELS
from webapp.deliveries.attempts.exchanges import read_certificate
from webapp.deliveries.delivery_rows import AnyDelivery
from webapp.failures import Protocol
from webapp.failures.certificate import format_date
from webapp.outbound.exchange_facts import CertificateDates

# A certificate is renewed within the last third of its life: 2 days for one of 6 days. Longer notice helps nobody.
LAST_PART, LONGEST_NOTICE = 3, timedelta(days=21)


def find_certificate_warning(newest: AnyDelivery, channel_name: str, now: datetime) -> str | None:
    """Return the warning for an accepted test, or None if its certificate is valid for long enough or not known."""
    certificate = read_certificate(newest.exchange or {})
    if certificate is None or not expires_soon(certificate, now):
        return None
    return _describe(certificate, channel_name, now)


def expires_soon(certificate: CertificateDates, now: datetime) -> bool:
    """Check whether the certificate is in the last third of its life, and expires within 21 days."""
    life = certificate.not_after - certificate.not_before
    return certificate.not_after - now <= min(life / LAST_PART, LONGEST_NOTICE)


def _describe(certificate: CertificateDates, channel_name: str, now: datetime) -> str:
    whose, renewer = _name_owner(channel_name)
    if now > certificate.not_after:
        return (
            f"{whose} certificate expired on {format_date(certificate.not_after)}, unless {renewer} has renewed it "
            "since this test. Send another test to find out."
        )
    return (
        f"{whose} certificate expires on {format_date(certificate.not_after)}. Alerts fail after that unless {renewer} "
        "renews it."
    )


def _name_owner(channel_name: str) -> tuple[str, str]:
    """Return whose certificate it is, at the start of a sentence, and who renews it."""
    channel = CHANNELS.get(channel_name)
    if channel is not None and channel.protocol is Protocol.SMTP:
        return "The mail server's", "the administrator of the mail server"
    if channel is not None and channel.hosts:
        return f"{channel.label}'s", channel.label
    return "The receiver's", "the owner of the receiver"
