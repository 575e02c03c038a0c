"""Search keys: written with the settings, erased with them, and added by the workers where they are missing."""

from collections.abc import Mapping
from itertools import count

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select, update

from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, on_both_databases
from webapp.destinations.editing import add_destination, change_destination, delete_destination, set_enabled
from webapp.destinations.key_rotation import rotate_keys
from webapp.destinations.search_index import (
    PAGE_SIZE,
    PASS_TIME,
    SCAN_INTERVAL,
    SearchIndexing,
    Unsearchable,
    count_unsearchable,
)
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.extensions import db
from webapp.models import AlertDestination, SearchKey, Workspace
from webapp.settings import AppSettings

MAILBOX = {"recipients": "ann@example.com, bob@example.org"}
OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()


@pytest.fixture
def mailbox(context: None, seeded: SeededIds, app_settings: AppSettings) -> AlertDestination:
    return add(seeded, app_settings.cipher)


def add(seeded: SeededIds, cipher: SettingsCipher, settings: Mapping[str, str] = MAILBOX) -> AlertDestination:
    return add_destination(get_workspace(seeded), get_account(seeded), "email", "Desk", settings, cipher, NOW)


def finds(cipher: SettingsCipher, kind: str, value: str, workspace_id: int) -> list[int]:
    query = select(SearchKey.destination_id).where(
        SearchKey.hash.in_(cipher.search.make_all(kind, workspace_id, value))
    )
    return list(db.session.scalars(query.order_by(SearchKey.destination_id)))


def forget_search_keys() -> None:
    """Leave the database as an upgrade from an older version does."""
    db.session.execute(update(AlertDestination).values(search_mark=None))
    db.session.query(SearchKey).delete()
    db.session.commit()


@on_both_databases
def test_a_new_destination_is_found_at_once(mailbox: AlertDestination, app_settings: AppSettings) -> None:
    at = mailbox.workspace_id

    assert finds(app_settings.cipher, "recipient", "ann@example.com", at) == [mailbox.id]
    assert finds(app_settings.cipher, "domain", "example.org", at) == [mailbox.id]
    assert finds(app_settings.cipher, "recipient", "ann@example.com", at + 1) == []
    assert count_unsearchable(app_settings.cipher) == Unsearchable(0, 0)


def test_the_table_contains_neither_hosts_nor_recipients(mailbox: AlertDestination) -> None:
    hashes = db.session.scalars(select(SearchKey.hash)).all()

    assert {len(value) for value in hashes} == {32}
    assert all(set(value) <= set("0123456789abcdef") for value in hashes)


@on_both_databases
def test_changed_settings_are_found_and_the_old_ones_no_longer(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    typed = {"recipients": "cleo@example.net", "omit_auto_submitted": ""}
    change_destination(mailbox, get_account(seeded), "Desk", typed, app_settings.cipher, NOW)

    assert finds(app_settings.cipher, "recipient", "cleo@example.net", mailbox.workspace_id) == [mailbox.id]
    assert finds(app_settings.cipher, "recipient", "ann@example.com", mailbox.workspace_id) == []


def test_a_new_name_keeps_the_search_keys(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    typed = {"recipients": "", "omit_auto_submitted": ""}
    change_destination(mailbox, get_account(seeded), "Another name", typed, app_settings.cipher, NOW)
    set_enabled(mailbox, get_account(seeded), False, NOW)

    assert finds(app_settings.cipher, "recipient", "ann@example.com", mailbox.workspace_id) == [mailbox.id]


@on_both_databases
def test_deleting_a_destination_erases_its_search_keys(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    delete_destination(mailbox, get_account(seeded), NOW)

    assert db.session.scalars(select(SearchKey).where(SearchKey.destination_id == mailbox.id)).all() == []
    assert count_unsearchable(app_settings.cipher) == Unsearchable(0, 0)


@on_both_databases
def test_a_deleted_workspace_takes_its_search_keys_along(mailbox: AlertDestination) -> None:
    workspace = db.session.get_one(Workspace, mailbox.workspace_id)
    db.session.query(AlertDestination).filter_by(workspace_id=workspace.id).delete()
    db.session.commit()

    assert db.session.scalars(select(SearchKey).where(SearchKey.destination_id == mailbox.id)).all() == []


@on_both_databases
def test_the_workers_add_what_an_upgrade_leaves_out(mailbox: AlertDestination, app_settings: AppSettings) -> None:
    forget_search_keys()
    assert count_unsearchable(app_settings.cipher) == Unsearchable(3, 0)

    assert SearchIndexing(lambda: 0.0).add_missing(app_settings.cipher) == 3

    assert count_unsearchable(app_settings.cipher) == Unsearchable(0, 0)
    assert finds(app_settings.cipher, "recipient", "ann@example.com", mailbox.workspace_id) == [mailbox.id]


def test_only_the_given_workspaces_are_counted(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    forget_search_keys()

    assert count_unsearchable(app_settings.cipher, [seeded.clinic]) == Unsearchable(1, 0)


def test_a_large_installation_is_completed_page_by_page(
    context: None, seeded: SeededIds, app_settings: AppSettings
) -> None:
    for _ in range(PAGE_SIZE):
        add(seeded, app_settings.cipher)
    forget_search_keys()
    indexing = SearchIndexing(clock=lambda: 0.0)

    assert [indexing.add_missing(app_settings.cipher) for _ in range(3)] == [PAGE_SIZE, 2, 0]


@on_both_databases
def test_a_pass_ends_after_some_milliseconds_and_the_next_one_continues(
    context: None, seeded: SeededIds, app_settings: AppSettings
) -> None:
    for _ in range(8):
        add(seeded, app_settings.cipher)
    forget_search_keys()
    times = (number * PASS_TIME / 3.5 for number in count())
    indexing = SearchIndexing(clock=lambda: next(times))

    done: list[int] = []
    while indexing.add_missing(app_settings.cipher):
        done.append(10 - sum(done) - count_unsearchable(app_settings.cipher).waiting)
    assert done == [4, 4, 2]


@on_both_databases
def test_a_destination_that_is_deleted_between_two_passes_gets_no_search_keys(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings
) -> None:
    forget_search_keys()
    times = (number * PASS_TIME / 1.5 for number in count())
    indexing = SearchIndexing(clock=lambda: next(times))

    assert indexing.add_missing(app_settings.cipher) == 2
    delete_destination(mailbox, get_account(seeded), NOW)
    while indexing.add_missing(app_settings.cipher):
        pass

    assert finds(app_settings.cipher, "recipient", "ann@example.com", seeded.harbor) == []
    assert count_unsearchable(app_settings.cipher) == Unsearchable(0, 0)


def test_after_a_complete_scan_the_workers_wait_before_the_next(
    mailbox: AlertDestination, app_settings: AppSettings
) -> None:
    now = 1000.0
    indexing = SearchIndexing(clock=lambda: now)
    indexing.add_missing(app_settings.cipher)
    forget_search_keys()

    assert indexing.add_missing(app_settings.cipher) == 0
    now += SCAN_INTERVAL.total_seconds()
    assert indexing.add_missing(app_settings.cipher) == 3


@on_both_databases
def test_settings_that_no_key_decrypts_are_counted_apart_and_tried_again_with_other_keys(
    context: None, seeded: SeededIds
) -> None:
    old, new = SettingsCipher([OLD], "x"), SettingsCipher([NEW], "x")
    destination = add(seeded, old)

    assert SearchIndexing(lambda: 0.0).add_missing(new) == 3
    assert count_unsearchable(new) == Unsearchable(0, 3)
    assert SearchIndexing(lambda: 0.0).add_missing(new) == 0

    both = SettingsCipher([NEW, OLD], "x")
    SearchIndexing(lambda: 0.0).add_missing(both)
    assert finds(both, "recipient", "ann@example.com", destination.workspace_id) == [destination.id]


@on_both_databases
def test_the_search_works_before_during_and_after_a_rotation_of_the_keys(context: None, seeded: SeededIds) -> None:
    destination = add(seeded, SettingsCipher([OLD], "x"))
    key = ("recipient", "ann@example.com", destination.workspace_id)

    rotating = SettingsCipher([NEW, OLD], "x")
    assert finds(rotating, *key) == [destination.id]
    rotate_keys(rotating, NOW)
    assert finds(rotating, *key) == [destination.id]
    assert finds(SettingsCipher([NEW], "x"), *key) == [destination.id]
    assert finds(SettingsCipher([OLD], "x"), *key) == []


@on_both_databases
def test_settings_that_are_saved_while_a_worker_adds_search_keys_keep_their_own(
    mailbox: AlertDestination, seeded: SeededIds, app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    forget_search_keys()
    decrypt = SettingsCipher.decrypt

    def decrypt_while_another_process_saves(cipher: SettingsCipher, token: str, *, context: str) -> dict[str, str]:
        monkeypatch.undo()
        typed = {"address": "https://saved.example.com/x", "signing_secret": ""}
        change_destination(get_destination(seeded), get_account(seeded), "Ticket system", typed, cipher, NOW)
        return decrypt(cipher, token, context=context)

    monkeypatch.setattr(SettingsCipher, "decrypt", decrypt_while_another_process_saves)
    SearchIndexing(lambda: 0.0).add_missing(app_settings.cipher)

    assert finds(app_settings.cipher, "host", "saved.example.com", seeded.harbor) == [seeded.destination]
    own_keys = db.session.scalars(select(SearchKey).where(SearchKey.destination_id == seeded.destination)).all()
    assert len(own_keys) == 1
