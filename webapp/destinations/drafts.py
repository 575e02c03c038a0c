"""Drafts: the valid secrets of a form that was not saved, so that nobody enters them twice.

No page ever contains a secret that was typed, so they stay on the server, encrypted, for the session that typed them.
Only browsers without JavaScript need them: the others keep what was typed in the page.
"""

import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.exc import IntegrityError

from webapp.encryption.settings_cipher import SettingsCipher, SettingsUnreadable
from webapp.extensions import db
from webapp.models import FormDraft
from webapp.models.row_changes import change_rows, delete_page

LIFETIME = timedelta(minutes=15)

# Drafts of one session. A new one replaces the oldest.
MAX_DRAFTS = 10

# The content of a draft that may be used once, and was.
USED = ""


def save_draft(
    sign_in_id: str, path: str, values: Mapping[str, str], cipher: SettingsCipher, now: datetime
) -> str | None:
    """Keep the secrets of the form at `path`, by field, and commit.

    Returns the draft's id, or None if the session was just ended.
    """
    oldest_first = select(FormDraft.id).where(FormDraft.sign_in_id == sign_in_id).order_by(FormDraft.created_at)
    surplus = db.session.scalars(oldest_first).all()[: 1 - MAX_DRAFTS]
    db.session.execute(delete(FormDraft).where(FormDraft.id.in_(surplus)))
    draft = FormDraft(id=secrets.token_urlsafe(32), sign_in_id=sign_in_id, path=path, created_at=now)
    draft.content = cipher.encrypt(values, context=_context(draft))
    db.session.add(draft)
    draft_id = draft.id
    try:
        db.session.commit()
    except IntegrityError:  # the draft names a session that is gone
        db.session.rollback()
        return None
    return draft_id


def find_draft(
    draft_id: str, sign_in_id: str, path: str, cipher: SettingsCipher, now: datetime
) -> Mapping[str, str] | None:
    """Return the secrets of a draft, by field; None if it is of another session or form, over, or unreadable."""
    draft = db.session.get(FormDraft, draft_id)
    if draft is None or (draft.sign_in_id, draft.path) != (sign_in_id, path) or _is_over(draft, now):
        return None
    try:
        return cipher.decrypt(draft.content, context=_context(draft))
    except SettingsUnreadable:
        return None


def replace_draft(draft_id: str, sign_in_id: str, path: str, values: Mapping[str, str], cipher: SettingsCipher) -> bool:
    """Keep other secrets in a draft, for as long as before, and commit. Returns whether it was there, and not used."""
    content = cipher.encrypt(values, context=_context(FormDraft(id=draft_id, sign_in_id=sign_in_id, path=path)))
    is_replaced = _change(draft_id, sign_in_id, path, content)
    db.session.commit()
    return is_replaced


def use_draft(draft_id: str, sign_in_id: str, path: str) -> bool:
    """Erase the secrets of a draft, in the caller's transaction. Of two uses at once, one returns True."""
    return _change(draft_id, sign_in_id, path, USED)


def was_used(draft_id: str, sign_in_id: str, path: str) -> bool:
    """Return whether a draft of this session and form was used, which is known for as long as a draft is kept."""
    used = exists().where(_is_draft(draft_id, sign_in_id, path), FormDraft.content == USED)
    return bool(db.session.scalar(select(used)))


def delete_draft(draft_id: str, sign_in_id: str) -> None:
    """Delete a session's draft, and commit."""
    db.session.execute(delete(FormDraft).where(FormDraft.id == draft_id, FormDraft.sign_in_id == sign_in_id))
    db.session.commit()


def delete_old_drafts(now: datetime) -> None:
    """Delete a page of the drafts that are over, and commit."""
    delete_page(FormDraft, FormDraft.created_at <= now - LIFETIME)
    db.session.commit()


def _change(draft_id: str, sign_in_id: str, path: str, content: str) -> bool:
    unused = update(FormDraft).where(_is_draft(draft_id, sign_in_id, path), FormDraft.content != USED)
    return change_rows(unused.values(content=content)) > 0


def _is_draft(draft_id: str, sign_in_id: str, path: str) -> ColumnElement[bool]:
    return (FormDraft.id == draft_id) & (FormDraft.sign_in_id == sign_in_id) & (FormDraft.path == path)


def _is_over(draft: FormDraft, now: datetime) -> bool:
    return now - draft.created_at >= LIFETIME


def _context(draft: FormDraft) -> str:
    return f"form draft {draft.id} {draft.sign_in_id} {draft.path}"
