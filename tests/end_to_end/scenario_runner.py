"""The parts of a scenario, and a function that runs one: it presses Send test under the scenario's conditions."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.factories import SeededIds
from webapp.channels import CHANNELS
from webapp.channels.fields import FieldKind
from webapp.deliveries import request_test, send
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, Workspace
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings

# What is no secret, by field.
TEXTS = {"basic_user": "ann", "chat_id": "-100123"}

# Fields of which one side is left blank: each of them signs in to the receiver.
OMITTED = (("bearer_token",), ("basic_user", "basic_password"))


@dataclass(frozen=True)
class ScenarioInputs:
    """The inputs of every scenario: the channel, for scenarios that work with any channel, and all secrets.

    environment: the settings, for a process that a scenario starts.
    path: the path and query of an address.
    header: the value of a header that is added.
    password: the mail server's password.
    omitted: the fields that are left blank, because they exclude others.
    """

    environment: Mapping[str, str]
    channel: str = "webhook"
    path: str = "/services/key-7f3a9c?sig=4711"
    signing_secret: str = "whsec_QUxFUlRDSEVDSy1DQU5BUlktU0lHTklORy1LRVk="
    recipient: str = "ann@example.com"
    header: str = "Sesame-4712"
    password: str = "Sesame-4711"
    omitted: tuple[str, ...] = OMITTED[0]

    def settings(self, channel: str, origin: str = "") -> dict[str, str]:
        """Return the settings of a destination whose address, if it has one, is at `origin`."""
        values = {
            FieldKind.ADDRESS: origin + self.path,
            FieldKind.SERVER: origin,
            FieldKind.SECRET: self.signing_secret,
            FieldKind.HEADERS: f"X-Api-Key: {self.header}",
            FieldKind.RECIPIENTS: self.recipient,
        }
        fields = [field for field in CHANNELS[channel].fields if field.name not in self.omitted]
        return {field.name: TEXTS.get(field.name) or values.get(field.kind, field.default) for field in fields}


# An action between a press and its job.
ActionBeforeJob = Callable[[AlertDelivery, AppSettings], None]


def do_nothing(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    """Change nothing between the press and the job."""


@dataclass(frozen=True)
class ScenarioSetup:
    """The conditions of one press."""

    channel: str
    settings: Mapping[str, str]
    outbound: OutboundClient
    before_job: ActionBeforeJob = do_nothing


# Sets up the conditions for the length of a `with`.
Scenario = Callable[[ScenarioInputs], AbstractContextManager[ScenarioSetup]]


def run_scenario(
    scenario: Scenario, inputs: ScenarioInputs, seeded: SeededIds, app_settings: AppSettings
) -> AlertDelivery:
    """Press once for a new destination, run the action before the job, run the job, and return the row."""
    with scenario(inputs) as setup:
        app_settings, now = replace(app_settings, outbound=setup.outbound), datetime.now(UTC)
        harbor, admin = db.session.get_one(Workspace, seeded.harbor), db.session.get_one(Account, seeded.admin)
        destination = add_destination(
            harbor, admin, setup.channel, "On stage", setup.settings, app_settings.cipher, now
        )
        delivery_id = request_test(destination, admin, now)
        setup.before_job(db.session.get_one(AlertDelivery, delivery_id), app_settings)
        send(delivery_id, app_settings)
    return db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)
