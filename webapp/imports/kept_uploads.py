"""Keeps what was found in a file between its upload and its import: encrypted, for the session that uploaded it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from webapp.destinations.drafts import find_draft, replace_draft, save_draft
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.imports.dry_run import DryRunRow
from webapp.imports.file_contents import FileFormat, FoundDrills, FoundFile, FoundReceiver, Unusable
from webapp.models import DrillChoice


@dataclass(frozen=True)
class Uploads:
    """The uploads of one session to one page. sign_in_id: of the session. path: of the page."""

    sign_in_id: str
    path: str
    cipher: SettingsCipher

    def save(self, file: FoundFile, now: datetime) -> str | None:
        """Keep a file for 15 minutes, and commit. Returns its id, or None if the session was just ended."""
        return save_draft(self.sign_in_id, self.path, _write(file), self.cipher, now)

    def find(self, upload_id: str, now: datetime) -> FoundFile | None:
        """Return a file; None if it is of another session or page, over, used or unreadable."""
        values = find_draft(upload_id, self.sign_in_id, self.path, self.cipher, now)
        return _read(values) if values else None

    def complete(self, upload_id: str, file: FoundFile, rows: list[DryRunRow]) -> bool:
        """Keep the valid settings of judged rows, so that nobody enters them twice, and commit.

        Returns whether the file was still there.
        """
        receivers = tuple(_complete(receiver, row) for receiver, row in zip(file.receivers, rows, strict=True))
        return replace_draft(
            upload_id, self.sign_in_id, self.path, _write(replace(file, receivers=receivers)), self.cipher
        )


def _complete(receiver: FoundReceiver, row: DryRunRow) -> FoundReceiver:
    if not row.settings:
        return receiver
    settings = {**receiver.settings, **row.settings}
    return replace(receiver, settings=settings, missing=receiver.missing - row.settings.keys())


def _write(file: FoundFile) -> dict[str, str]:
    receivers = [
        vars(receiver) | {"settings": dict(receiver.settings), "missing": sorted(receiver.missing)}
        for receiver in file.receivers
    ]
    return {"format": file.format.value, "receivers": json.dumps(receivers), "notes": json.dumps(file.notes)}


def _read(values: Mapping[str, str]) -> FoundFile:
    receivers = tuple(_read_receiver(each) for each in json.loads(values["receivers"]))
    return FoundFile(FileFormat(values["format"]), receivers, tuple(json.loads(values["notes"])))


def _read_receiver(stored: dict[str, Any]) -> FoundReceiver:
    unusable = stored["unusable"] and Unusable(stored["unusable"])
    lists = {name: tuple(stored[name]) for name in ("dropped", "tags")}
    choice, *others = stored["drills"]
    read: dict[str, Any] = {"missing": frozenset(stored["missing"]), "unusable": unusable}
    return FoundReceiver(**(stored | lists | read | {"drills": FoundDrills(DrillChoice(choice), *others)}))
