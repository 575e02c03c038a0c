"""Groups of deliveries for tests: rows to claim, and the ends of their attempts."""

from collections.abc import Sequence
from datetime import UTC, datetime

from tests.factories import SeededIds, add_delivery, get_account, get_workspace
from webapp.channels.contract import Accepted
from webapp.deliveries.attempts import recording, sending
from webapp.deliveries.attempts.claiming import Attempt
from webapp.deliveries.attempts.group_claiming import claim_group
from webapp.deliveries.attempts.group_commit import Alone
from webapp.deliveries.attempts.recording import EndedAttempt
from webapp.destinations.editing import add_destination
from webapp.models import AlertDestination, database_clock
from webapp.settings import AppSettings


def request_group(seeded: SeededIds, app_settings: AppSettings) -> list[int]:
    """Add four test sends to destinations of their own, pressed just now, and return their ids."""
    now = datetime.now(UTC)
    settings = {"address": "https://receiver.example.com/", "signing_secret": ""}
    workspace, account, cipher = get_workspace(seeded), get_account(seeded), app_settings.cipher
    destinations = [
        add_destination(workspace, account, "webhook", f"Number {number}", settings, cipher, now) for number in range(4)
    ]
    return [_request(destination, now) for destination in destinations]


def _request(destination: AlertDestination, now: datetime) -> int:
    payload = dict.fromkeys(("message_id", "workspace", "destination", "requested_by"), "x")
    payload |= {"requested_at": now.isoformat(), "reference": "AAAA-BBBB"}
    return add_delivery(destination, created_at=now, payload=payload).id


# What `claim_group` returns for a row.
Claim = Attempt | Alone | None


def claim_rows(ids: list[int], app_settings: AppSettings) -> list[Claim]:
    return claim_group(ids, app_settings, database_clock.now())


def name_claims(claims: Sequence[Claim]) -> list[int | Alone | None]:
    """Return the delivery's id instead of each attempt."""
    return [claim.delivery_id if isinstance(claim, Attempt) else claim for claim in claims]


def end_attempt(attempt: Claim) -> EndedAttempt:
    assert isinstance(attempt, Attempt)
    return recording.end_attempt(attempt, sending._accepted(Accepted(200)), 0.1)
