"""Keeps what somebody typed into a form that was refused, for the same account, until they have signed in again.

It is kept in the next page alone, as a hidden field that only this installation can make and read. So it needs no
storage: it survives a restart, works on every web server and without Redis, and nobody has to delete it.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from webapp.app_state import current_settings
from webapp.encryption.settings_cipher import SettingsUnreadable

# The name of the hidden field.
FIELD = "kept"

LIFETIME = timedelta(hours=1)

# Characters of the encrypted form: a request of 64 KiB must hold it beside the rest. Each form that can be saved fits.
MAX_LENGTH = 32 * 1024


@dataclass(frozen=True)
class KeptForm:
    """path: the form's own path. values: what was typed, by field."""

    path: str
    values: Mapping[str, str]


def keep_form(form: KeptForm, account_key: str, now: datetime) -> str | None:
    """Return a form, encrypted for one account, or None if it is too long."""
    content = {"path": form.path, "values": json.dumps(dict(form.values)), "kept_at": now.isoformat()}
    text = current_settings().cipher.encrypt(content, context=_context(account_key))
    return text if len(text) <= MAX_LENGTH else None


def read_kept_form(text: str, account_key: str, now: datetime) -> KeptForm | None:
    """Return a kept form; None if it is not ours, of another account, or too old."""
    try:
        content = current_settings().cipher.decrypt(text[:MAX_LENGTH], context=_context(account_key))
    except SettingsUnreadable:
        return None
    if abs(now - datetime.fromisoformat(content["kept_at"])) > LIFETIME:
        return None
    return KeptForm(content["path"], json.loads(content["values"]))


def _context(account_key: str) -> str:
    return f"kept form {account_key}"
