"""Adds, edits, enables, disables and deletes destinations, both in the application and in the reference model."""

from dataclasses import dataclass
from datetime import datetime

from tests.deliveries.model_state import ModelDestination
from tests.factories import SIGNING_SECRET, SeededIds, get_account, get_workspace
from webapp.destinations.editing import add_destination, change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import AppSettings


@dataclass(frozen=True)
class Admin:
    """The admin of the seeded workspace. A deleted destination stays deleted, because no page leads to it."""

    seeded: SeededIds
    app_settings: AppSettings

    def add(self, now: datetime) -> ModelDestination:
        settings = {"address": "https://example.com/", "signing_secret": SIGNING_SECRET}
        workspace, account = get_workspace(self.seeded), get_account(self.seeded)
        row = add_destination(workspace, account, "webhook", "Any", settings, self.app_settings.cipher, now)
        return ModelDestination(row.id)

    def set_enabled(self, destination: ModelDestination, is_enabled: bool, now: datetime) -> None:
        set_enabled(_get(destination), get_account(self.seeded), is_enabled, now)
        destination.is_enabled = is_enabled

    def edit(self, destination: ModelDestination, now: datetime) -> None:
        typed = {"address": f"https://example.com/{destination.version}", "signing_secret": ""}
        change_destination(_get(destination), get_account(self.seeded), "Any", typed, self.app_settings.cipher, now)
        destination.version += 1

    def delete(self, destination: ModelDestination, now: datetime) -> None:
        delete_destination(_get(destination), get_account(self.seeded), now)
        destination.is_enabled, destination.is_deleted = False, True


def _get(destination: ModelDestination) -> AlertDestination:
    return db.session.get_one(AlertDestination, destination.id)
