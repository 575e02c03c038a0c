"""The filter of the audit trail, as an address carries it: no name and no email address."""

import sys
from datetime import UTC, date
from zoneinfo import ZoneInfo

import pytest

from webapp.audit import ACTORS, COMMAND_LINE, Action, Actor
from webapp.audit_trail import ACTORS_BY_KEY, AuditFilter, parse_filter


def test_a_filter_is_written_into_an_address_and_read_back() -> None:
    wanted = AuditFilter(7, Action.MEMBER_ADDED, date(2026, 5, 4), date(2026, 5, 5), ZoneInfo("Asia/Tokyo"))
    address = {"who": "7", "action": "member_added", "since": "2026-05-04", "until": "2026-05-05"}

    assert wanted.as_query() == address
    assert parse_filter(address, ZoneInfo("Asia/Tokyo")) == wanted


@pytest.mark.parametrize("actor", ACTORS, ids=str)
def test_who_acts_without_an_account_is_found_again_by_a_key(actor: Actor) -> None:
    (key,) = AuditFilter(who=actor).as_query().values()

    assert parse_filter({"who": key}, None).who == actor
    assert key.replace("-", "").isalpha()


@pytest.mark.parametrize("action", Action)
def test_every_action_is_found_again_by_its_key(action: Action) -> None:
    assert parse_filter(AuditFilter(action=action).as_query(), None) == AuditFilter(action=action)


@pytest.mark.parametrize(
    "query",
    [
        *({"who": who} for who in ("", "0", "-1", "7 ", "Admin", "admin@example.com", "٣", "9" * 30, "\x00")),
        *({"action": action} for action in ("", "SIGNED_IN", "signed in", "\x00")),
        *({"since": day, "until": day} for day in ("", "2026-02-30", "20260504", "yesterday")),
    ],
    ids=str,
)
def test_an_invalid_value_counts_as_unset(query: dict[str, str]) -> None:
    criteria = parse_filter(query, None)

    assert (criteria, criteria.has_criteria, criteria.zone) == (AuditFilter(), False, UTC)


def test_everybody_who_acts_without_an_account_can_be_filtered_by() -> None:
    modules = [module for name, module in sys.modules.items() if name.startswith("webapp.")]
    found = {value for module in modules for value in vars(module).values() if isinstance(value, Actor)}

    assert COMMAND_LINE in found
    assert {actor for actor in found if actor.account_id is None} == set(ACTORS_BY_KEY.values())
