"""The time zone of an account: stored by the first browser that reports one, and from then on by its owner alone."""

from collections.abc import Callable

import pytest
from sqlalchemy import select

from tests.factories import SeededIds, get_account, on_both_databases
from webapp.auth.account_time_zones import UnknownTimeZone, change_time_zone, report_time_zone
from webapp.extensions import db
from webapp.models import Account

pytestmark = pytest.mark.usefixtures("context")


def _stored(seeded: SeededIds) -> str | None:
    db.session.expire_all()
    return get_account(seeded).time_zone


@on_both_databases
def test_the_first_browser_decides(seeded: SeededIds) -> None:
    report_time_zone(get_account(seeded), "Asia/Kathmandu")
    report_time_zone(get_account(seeded), "Europe/Berlin")

    assert _stored(seeded) == "Asia/Kathmandu"


@on_both_databases
def test_the_owner_changes_it(seeded: SeededIds) -> None:
    report_time_zone(get_account(seeded), "Asia/Kathmandu")
    change_time_zone(get_account(seeded), "America/Argentina/Buenos_Aires")

    assert _stored(seeded) == "America/Argentina/Buenos_Aires"


@pytest.mark.parametrize("store", [report_time_zone, change_time_zone])
def test_an_older_name_is_stored_as_that_of_today(seeded: SeededIds, store: Callable[[Account, str], None]) -> None:
    store(get_account(seeded), "Asia/Katmandu")

    assert _stored(seeded) == "Asia/Kathmandu"


@pytest.mark.parametrize("store", [report_time_zone, change_time_zone])
@pytest.mark.parametrize("name", ["", "Etc/Unknown", "Mars/Olympus_Mons", "Europe/Berlin\x00", "x" * 10_000])
def test_a_name_of_no_zone_changes_nothing(seeded: SeededIds, store: Callable[[Account, str], None], name: str) -> None:
    with pytest.raises(UnknownTimeZone):
        store(get_account(seeded), name)

    assert _stored(seeded) is None


def test_another_account_keeps_its_own(seeded: SeededIds) -> None:
    change_time_zone(get_account(seeded), "Asia/Tokyo")

    assert set(db.session.scalars(select(Account.time_zone))) == {"Asia/Tokyo", None}
