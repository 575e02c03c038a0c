"""Adds the rows of a dry run as destinations, all or none."""

from collections.abc import Sequence
from datetime import datetime

from webapp.audit import Action, Actor, find_actor, record_workspace_event
from webapp.destinations.editing import insert_destination
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.imports.dry_run import DryRunRow
from webapp.imports.file_contents import FileFormat
from webapp.models import Account, Workspace
from webapp.presses.eligibility import pages_people
from webapp.text.counting import count

# What people call a format.
FORMAT_LABELS = {
    FileFormat.ALERTMANAGER: "alertmanager.yml",
    FileFormat.GRAFANA: "Grafana contact points",
    FileFormat.APPRISE: "Apprise URLs",
    FileFormat.UPTIME_KUMA: "Uptime Kuma",
    FileFormat.ALERTCHECK: "an export of Alertcheck",
}


def add_rows(
    workspace: Workspace,
    by: Account | Actor,
    rows: Sequence[DryRunRow],
    file_format: FileFormat,
    cipher: SettingsCipher,
    now: datetime,
) -> None:
    """Add complete rows as destinations, and record it. The caller commits."""
    for row in rows:
        destination = insert_destination(
            workspace,
            by,
            row.channel_name or "",
            row.name,
            row.settings,
            cipher,
            now,
            row.tags,
            is_enabled=row.is_enabled,
        )
        destination.drill_choice, may_page, destination.needs_confirmation = row.drills
        destination.drills_may_page = may_page and pages_people(destination.type)
    actor = by if isinstance(by, Actor) else find_actor(by)
    subject = f"{count(len(rows), 'destination')} from {FORMAT_LABELS[file_format]}"
    record_workspace_event(workspace, Action.IMPORTED, now, actor, [subject])
