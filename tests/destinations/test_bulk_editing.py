"""Several destinations at once: each is changed as it would be alone, and all of them are counted."""

import pytest
from sqlalchemy import update

from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, on_both_databases
from webapp.destinations.bulk_editing import BulkResult, change_all_tags, load_chosen, set_all_enabled
from webapp.destinations.editing import add_destination, delete_destination
from webapp.extensions import db
from webapp.models import Account, AlertDestination, AuditEvent
from webapp.settings import AppSettings
from webapp.text.tags import MAX_TAGS


@pytest.fixture
def three(context: None, seeded: SeededIds, app_settings: AppSettings) -> list[AlertDestination]:
    """The destinations of the harbor."""
    workspace, account = get_workspace(seeded), get_account(seeded)
    added = [
        add_destination(workspace, account, "webhook", name, {"address": f"https://{name}.example.com/x"}, cipher, NOW)
        for cipher in [app_settings.cipher]
        for name in ("crane", "dock")
    ]
    return [get_destination(seeded), *added]


@pytest.fixture
def admin(context: None, seeded: SeededIds) -> Account:
    return get_account(seeded)


def count_events(destination: AlertDestination) -> int:
    return db.session.query(AuditEvent).filter_by(destination_id=destination.id).count()


@on_both_databases
def test_only_the_workspaces_own_destinations_can_be_chosen(
    three: list[AlertDestination], seeded: SeededIds, admin: Account
) -> None:
    delete_destination(three[2], admin, NOW)
    ids = [seeded.foreign_destination, 4711, three[2].id, three[1].id, three[0].id]

    assert load_chosen(get_workspace(seeded), ids) == three[:2]


@on_both_databases
def test_all_are_disabled_and_each_change_is_recorded(three: list[AlertDestination], admin: Account) -> None:
    set_all_enabled(three[:1], admin, False, NOW)
    before = [count_events(destination) for destination in three]

    assert set_all_enabled(three, admin, False, NOW) == BulkResult(changed=2, unchanged=1)
    assert [destination.is_enabled for destination in three] == [False] * 3
    assert [count_events(destination) for destination in three] == [before[0], before[1] + 1, before[2] + 1]


@on_both_databases
def test_tags_are_added_and_removed_beside_those_that_are_there(
    three: list[AlertDestination], admin: Account, app_settings: AppSettings
) -> None:
    three[0].tags = "eu,prod"
    db.session.commit()

    assert change_all_tags(three, admin, ["prod"], ["eu"], app_settings.cipher, NOW) == BulkResult(changed=3)
    assert [destination.tags for destination in three] == ["prod"] * 3
    assert change_all_tags(three, admin, ["prod"], [], app_settings.cipher, NOW) == BulkResult(changed=0, unchanged=3)


def test_a_destination_that_would_get_too_many_tags_keeps_those_it_has(
    three: list[AlertDestination], admin: Account, app_settings: AppSettings
) -> None:
    three[0].tags = full = ",".join(f"t{number:02}" for number in range(MAX_TAGS))
    db.session.commit()

    assert change_all_tags(three, admin, ["new"], [], app_settings.cipher, NOW) == BulkResult(changed=2, refused=1)
    assert [destination.tags for destination in three] == [full, "new", "new"]


def test_a_tag_with_a_secret_of_one_of_them_is_left_out_there(
    three: list[AlertDestination], seeded: SeededIds, admin: Account, app_settings: AppSettings
) -> None:
    settings = {"address": "https://gate.example.com/hook/b7c1d2e3f4a5968778695a4b3c2d1e0f"}
    workspace = get_workspace(seeded)
    gate = add_destination(workspace, admin, "webhook", "gate", settings, app_settings.cipher, NOW)
    tags = ["b7c1d2e3f4a5968778695a4b", "eu"]

    assert change_all_tags([*three, gate], admin, tags, [], app_settings.cipher, NOW) == BulkResult(3, revealed=1)
    assert gate.tags == ""


@on_both_databases
def test_a_destination_deleted_in_the_meantime_gets_no_tag(
    three: list[AlertDestination], admin: Account, app_settings: AppSettings
) -> None:
    deleted = update(AlertDestination).where(AlertDestination.id == three[1].id).values(deleted_at=NOW, config="")
    db.session.execute(deleted.execution_options(synchronize_session=False))
    db.session.commit()
    before = count_events(three[1])

    assert change_all_tags(three, admin, ["eu"], [], app_settings.cipher, NOW) == BulkResult(2, unchanged=1)
    assert (three[1].tags, count_events(three[1])) == ("", before)
