"""What a scenario of a failed test send is made of, and how to press Send test in one."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tests.factories import SeededIds
from webapp.channels import CHANNELS
from webapp.channels.contract import FieldKind
from webapp.deliveries import request_test, send
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import Account, AlertDelivery, Workspace
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings


@dataclass(frozen=True)
class Stage:
    """What every scenario is given: a kind of destination, for where it does not matter, and all that is secret.

    environment: the operator's settings, for a process that a scenario starts.
    path: what follows the origin in an address, the query included.
    password: the mail server's.
    """

    environment: Mapping[str, str]
    channel: str = "webhook"
    path: str = "/services/key-7f3a9c?sig=4711"
    signing_secret: str = "whsec_QUxFUlRDSEVDSy1DQU5BUlktU0lHTklORy1LRVk="
    recipient: str = "ann@example.com"
    password: str = "Sesame-4711"

    def settings(self, channel: str, origin: str = "") -> dict[str, str]:
        """Return the settings of a destination, at `origin` if it has an address."""
        values = {
            FieldKind.ADDRESS: origin + self.path,
            FieldKind.SECRET: self.signing_secret,
            FieldKind.RECIPIENTS: self.recipient,
        }
        return {field.name: values[field.kind] for field in CHANNELS[channel].fields}


Meanwhile = Callable[[AlertDelivery, AppSettings], None]
"""What happens between a press and its job."""


def nothing(delivery: AlertDelivery, app_settings: AppSettings) -> None:
    """Let the job come as it should."""


@dataclass(frozen=True)
class Scene:
    """The circumstances of one press."""

    channel: str
    settings: Mapping[str, str]
    outbound: OutboundClient
    meanwhile: Meanwhile = nothing


Scenario = Callable[[Stage], AbstractContextManager[Scene]]
"""Sets the circumstances up, for as long as they are needed."""


def play(scenario: Scenario, stage: Stage, seeded: SeededIds, app_settings: AppSettings) -> AlertDelivery:
    """Press once for a new destination, let happen what happens, run the job, and return the row."""
    with scenario(stage) as scene:
        app_settings, now = replace(app_settings, outbound=scene.outbound), datetime.now(UTC)
        harbor, admin = db.session.get_one(Workspace, seeded.harbor), db.session.get_one(Account, seeded.admin)
        destination = add_destination(
            harbor, admin, scene.channel, "On stage", scene.settings, app_settings.cipher, now
        )
        delivery_id = request_test(destination, admin, now)
        scene.meanwhile(db.session.get_one(AlertDelivery, delivery_id), app_settings)
        send(delivery_id, app_settings)
    return db.session.get_one(AlertDelivery, delivery_id, populate_existing=True)
