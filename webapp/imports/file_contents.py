"""What a file of another tool contains, before anything of it is checked or stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from webapp.models import DrillChoice


class FileFormat(StrEnum):
    """The formats that can be imported."""

    ALERTMANAGER = "alertmanager"  # alertmanager.yml
    GRAFANA = "grafana"  # contact points: provisioning or export, YAML or JSON
    APPRISE = "apprise"  # a list of Apprise URLs, one a line
    UPTIME_KUMA = "uptime_kuma"  # kuma.db, on the command line only
    ALERTCHECK = "alertcheck"  # our own export, without secrets


class Unusable(StrEnum):
    """Why a receiver cannot become a destination."""

    RETIRED = "retired"  # the service, or this way to reach it, has ended or ends soon
    NOT_SUPPORTED = "not supported"


class FileUnreadable(ValueError):
    """The file cannot be read as a whole. The text is a sentence that says what to do, without anything secret."""


class FoundDrills(NamedTuple):
    """Which drills a destination had, and whether somebody had to confirm them. The fields are its columns."""

    drill_choice: DrillChoice = DrillChoice.FOLLOW
    drills_may_page: bool = False
    needs_confirmation: bool = False


# What a destination has of which a file says nothing.
NO_DRILLS_GIVEN = FoundDrills()


@dataclass(frozen=True)
class FoundReceiver:
    """One receiver of a file. Its settings are as written there: nothing has checked them yet.

    name: as the file has it.
    channel: the name of the channel, or None if there is none for it.
    settings: the values of the channel's fields, by name. Secret.
    missing: the fields whose values are not in the file: a reference to another file, a variable, or redacted.
    unusable: why it cannot be imported, or None. reason: a sentence about that, for the table.
    dropped: what the file says about it that is left out: sentences without any value of a secret.
    is_enabled, tags, drills: whether messages are sent to it, its valid tags, and its drills. Only our own export has
        them.
    """

    name: str
    channel: str | None
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    missing: frozenset[str] = frozenset()
    unusable: Unusable | None = None
    reason: str = ""
    dropped: tuple[str, ...] = ()
    is_enabled: bool = True
    tags: tuple[str, ...] = ()
    drills: FoundDrills = NO_DRILLS_GIVEN


@dataclass(frozen=True)
class FoundFile:
    """What a file contains. notes: what was left out of the file as a whole, in sentences."""

    format: FileFormat
    receivers: tuple[FoundReceiver, ...]
    notes: tuple[str, ...] = ()
