"""Who adds, edits, enables, disables and deletes destinations, on the page and in the ledger alike."""

from dataclasses import dataclass
from datetime import datetime

from tests.deliveries.model_state import Place
from tests.factories import SIGNING_SECRET, SeededIds, get_account, get_workspace
from webapp.destinations.editing import add_destination, change_destination, delete_destination, set_enabled
from webapp.extensions import db
from webapp.models import AlertDestination
from webapp.settings import AppSettings


@dataclass(frozen=True)
class Admin:
    """The cast's admin. What was deleted stays so: no page leads there any more."""

    seeded: SeededIds
    app_settings: AppSettings

    def add(self, now: datetime) -> Place:
        settings = {"address": "https://example.com/", "signing_secret": SIGNING_SECRET}
        workspace, account = get_workspace(self.seeded), get_account(self.seeded)
        return Place(add_destination(workspace, account, "webhook", "Any", settings, self.app_settings.cipher, now).id)

    def set_enabled(self, place: Place, is_enabled: bool, now: datetime) -> None:
        set_enabled(_get(place), get_account(self.seeded), is_enabled, now)
        place.is_enabled = is_enabled

    def edit(self, place: Place, now: datetime) -> None:
        typed = {"address": f"https://example.com/{place.version}", "signing_secret": ""}
        change_destination(_get(place), get_account(self.seeded), "Any", typed, self.app_settings.cipher, now)
        place.version += 1

    def delete(self, place: Place, now: datetime) -> None:
        delete_destination(_get(place), get_account(self.seeded), now)
        place.is_enabled, place.is_deleted = False, True


def _get(place: Place) -> AlertDestination:
    return db.session.get_one(AlertDestination, place.id)
