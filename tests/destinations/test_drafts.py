"""Drafts: they give typed secrets back to the same session and form only, for 15 minutes, and keep them encrypted."""

from datetime import datetime, timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from tests.factories import NOW, SeededIds, get_account, on_both_databases
from webapp.auth import session_lifetime
from webapp.destinations.drafts import (
    LIFETIME,
    MAX_DRAFTS,
    delete_draft,
    delete_old_drafts,
    find_draft,
    replace_draft,
    save_draft,
    use_draft,
    was_used,
)
from webapp.extensions import db
from webapp.models import FormDraft
from webapp.settings import AppSettings

PATH = "/w/harbor/destinations/new/webhook"
SECRETS = {"address": "https://hooks.example.com/canary", "signing_secret": "whsec_canary"}


@pytest.fixture
def sign_in_id(context: None, seeded: SeededIds) -> str:
    """A session."""
    return start_session(seeded)


def start_session(seeded: SeededIds) -> str:
    account = get_account(seeded)
    session_lifetime.sign_in(account, NOW)
    db.session.commit()
    assert account.sign_in_id
    return account.sign_in_id


@pytest.fixture
def draft_id(sign_in_id: str, app_settings: AppSettings) -> str:
    """A draft."""
    return save(sign_in_id, app_settings)


def save(sign_in_id: str, app_settings: AppSettings, now: datetime = NOW) -> str:
    draft_id = save_draft(sign_in_id, PATH, SECRETS, app_settings.cipher, now)
    assert draft_id
    return draft_id


def count_drafts() -> int:
    return db.session.scalar(select(func.count()).select_from(FormDraft)) or 0


@on_both_databases
def test_a_draft_gives_back_what_was_kept(draft_id: str, sign_in_id: str, app_settings: AppSettings) -> None:
    assert find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW) == SECRETS


@on_both_databases
def test_a_draft_is_stored_encrypted(draft_id: str) -> None:
    row = db.session.get_one(FormDraft, draft_id)

    assert "canary" not in row.content + row.path + row.id


def test_a_draft_of_another_session_of_the_same_account_is_not_found(
    draft_id: str, seeded: SeededIds, app_settings: AppSettings
) -> None:
    assert find_draft(draft_id, start_session(seeded), PATH, app_settings.cipher, NOW) is None


def test_a_draft_of_another_form_is_not_found(draft_id: str, sign_in_id: str, app_settings: AppSettings) -> None:
    assert find_draft(draft_id, sign_in_id, "/w/harbor/destinations/1/edit", app_settings.cipher, NOW) is None


def test_a_draft_that_was_copied_to_another_session_is_unreadable(
    draft_id: str, seeded: SeededIds, app_settings: AppSettings
) -> None:
    other = start_session(seeded)
    db.session.get_one(FormDraft, draft_id).sign_in_id = other
    db.session.commit()

    assert find_draft(draft_id, other, PATH, app_settings.cipher, NOW) is None


@pytest.mark.parametrize("draft_id", ["", "x", "\N{FIRE}", "x" * 5000])
def test_an_unknown_draft_is_not_found(draft_id: str, sign_in_id: str, app_settings: AppSettings) -> None:
    assert find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW) is None


@pytest.mark.parametrize(("age", "is_found"), [(LIFETIME - timedelta(seconds=1), True), (LIFETIME, False)])
def test_a_draft_lives_for_15_minutes(
    draft_id: str, sign_in_id: str, app_settings: AppSettings, age: timedelta, is_found: bool
) -> None:
    assert (find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW + age) is not None) is is_found


@on_both_databases
@pytest.mark.parametrize(("now", "left"), [(NOW + LIFETIME - timedelta(seconds=1), 1), (NOW + LIFETIME, 0)])
def test_an_old_draft_is_deleted(draft_id: str, now: datetime, left: int) -> None:
    delete_old_drafts(now)

    assert count_drafts() == left


@on_both_databases
def test_a_draft_ends_with_its_session(app: Flask, draft_id: str, seeded: SeededIds, sign_in_id: str) -> None:
    account = get_account(seeded)
    account.sign_in_id = sign_in_id
    session_lifetime.sign_out(account, NOW)
    db.session.commit()

    assert count_drafts() == 0


def test_only_its_session_deletes_a_draft(draft_id: str, sign_in_id: str, seeded: SeededIds) -> None:
    delete_draft(draft_id, start_session(seeded))
    assert count_drafts() == 1

    delete_draft(draft_id, sign_in_id)
    assert count_drafts() == 0


@on_both_databases
def test_a_session_keeps_its_newest_drafts(sign_in_id: str, app_settings: AppSettings) -> None:
    drafts = [save(sign_in_id, app_settings, NOW + timedelta(seconds=second)) for second in range(MAX_DRAFTS + 2)]

    kept = [find_draft(draft, sign_in_id, PATH, app_settings.cipher, NOW) is not None for draft in drafts]
    assert kept == [False, False] + [True] * MAX_DRAFTS


@on_both_databases
def test_a_draft_is_used_once(draft_id: str, sign_in_id: str, app_settings: AppSettings) -> None:
    uses = [use_draft(draft_id, sign_in_id, PATH) for _ in range(2)]

    assert (uses, was_used(draft_id, sign_in_id, PATH)) == ([True, False], True)
    assert find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW) is None
    assert not replace_draft(draft_id, sign_in_id, PATH, SECRETS, app_settings.cipher)
    assert was_used(draft_id, sign_in_id, PATH)


@on_both_databases
def test_a_draft_is_replaced_for_as_long_as_before(draft_id: str, sign_in_id: str, app_settings: AppSettings) -> None:
    assert replace_draft(draft_id, sign_in_id, PATH, {"address": "another"}, app_settings.cipher)

    found = [
        find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW + after)
        for after in (LIFETIME - timedelta(seconds=1), LIFETIME)
    ]
    assert found == [{"address": "another"}, None]


def test_a_draft_of_another_session_or_form_is_neither_used_nor_replaced(
    draft_id: str, sign_in_id: str, seeded: SeededIds, app_settings: AppSettings
) -> None:
    for owner, path in ((start_session(seeded), PATH), (sign_in_id, f"{PATH}x")):
        assert not use_draft(draft_id, owner, path)
        assert not replace_draft(draft_id, owner, path, {}, app_settings.cipher)
        assert not was_used(draft_id, owner, path)

    assert find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW) == SECRETS


@on_both_databases
def test_a_draft_of_some_mebibytes_is_kept(sign_in_id: str, app_settings: AppSettings) -> None:
    """As large as a file of 1 MiB can become."""
    values = {"file": "\U0001f514" * (1024 * 1024)}
    draft_id = save_draft(sign_in_id, PATH, values, app_settings.cipher, NOW)

    assert draft_id
    assert find_draft(draft_id, sign_in_id, PATH, app_settings.cipher, NOW) == values
