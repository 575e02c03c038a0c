"""The dry run: what would become of each receiver of a file. Nothing is sent, and nothing is connected to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from webapp.channels import CHANNELS
from webapp.channels.fields import Field, Settings
from webapp.destinations.masking import mask_new_target
from webapp.destinations.same_places import Place, find_place, list_places
from webapp.destinations.secret_names import SecretParts, list_secret_parts
from webapp.encryption.settings_cipher import SettingsCipher
from webapp.imports.file_contents import NO_DRILLS_GIVEN, FoundDrills, FoundReceiver, Unusable
from webapp.imports.receiver_checks import CheckedSettings, check_settings, list_unknown
from webapp.imports.row_names import UNNAMED, name_rows
from webapp.models import Workspace
from webapp.outbound import OutboundClient
from webapp.settings import AppSettings
from webapp.text.names import clean_name, quote_name


class RowState(StrEnum):
    """What would become of a receiver. The value is what people read."""

    READY = "ready"
    NEEDS_SECRET = "needs a secret"  # noqa: S105
    DUPLICATE = "duplicate"
    REFUSED = "cannot be used"
    RETIRED = "retired"
    NOT_SUPPORTED = "not supported"


RENAMED = "Its name in the file contains an address or another secret, so the destination gets another name."
UNTAGGED = "A tag that contains an address or another secret is left out."

UNUSABLE = {Unusable.RETIRED: RowState.RETIRED, Unusable.NOT_SUPPORTED: RowState.NOT_SUPPORTED}


@dataclass(frozen=True)
class DryRunRow:
    """A receiver as it was judged.

    number: its place in the file, from 0. name: valid, and of no other row. channel_name: None if there is none for it.
    settings: the valid ones, with what was typed. Secret. missing: the fields to be completed.
    where: where messages would go, masked, or an empty text. reason: why it is not ready.
    notes: what the file says that is left out, or changed. errors: what is wrong with what was typed, by field.
    """

    number: int
    name: str
    channel_name: str | None
    state: RowState
    settings: Settings = field(default_factory=dict, repr=False)
    missing: tuple[Field, ...] = ()
    where: str = ""
    reason: str = ""
    notes: tuple[str, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    is_enabled: bool = True
    tags: tuple[str, ...] = ()
    drills: FoundDrills = NO_DRILLS_GIVEN

    @property
    def label(self) -> str:
        """The channel's label, or an empty text."""
        return CHANNELS[self.channel_name].label if self.channel_name else ""


# What was typed to complete the rows that are to be added, and no others: by the row's number and the field. Secret.
Typed = Mapping[int, Settings]


@dataclass(frozen=True)
class Judge:
    """Judges receivers with the checks of the channels. places: those that the workspace has, each with its name."""

    outbound: OutboundClient
    cipher: SettingsCipher
    places: Mapping[Place, str]

    @classmethod
    def of_workspace(cls, workspace: Workspace, app_settings: AppSettings) -> "Judge":
        """Return a judge that knows the places of a workspace and may send to what it may."""
        cipher, outbound = app_settings.cipher, app_settings.outbound_for(workspace.slug)
        return cls(outbound, cipher, list_places(workspace, cipher, outbound))

    def judge(self, receivers: Sequence[FoundReceiver], typed: Typed | None = None) -> list[DryRunRow]:
        """Return a row for each receiver, in the order of the file."""
        taken = {place: f"the destination {quote_name(name)} of this workspace" for place, name in self.places.items()}
        secret = _list_secrets(receivers, typed or {})
        own_names = [_find_safe_name(receiver, secret) for receiver in receivers]
        rows = []
        for number, (receiver, (name, note)) in enumerate(zip(receivers, name_rows(own_names), strict=True)):
            note = note if own_names[number] == receiver.name else RENAMED
            row = self._judge_alone(DryRunRow(number, name, None, RowState.READY), receiver, (typed or {}).get(number))
            tags = tuple(tag for tag in receiver.tags if not secret.are_in(tag))
            untagged = "" if tags == receiver.tags else UNTAGGED
            notes = (*receiver.dropped, *row.notes, *filter(None, (note, untagged)))
            row = replace(row, notes=notes, is_enabled=receiver.is_enabled, tags=tags, drills=receiver.drills)
            rows.append(self._compare(row, taken))
        return rows

    def _judge_alone(self, row: DryRunRow, receiver: FoundReceiver, typed: Settings | None) -> DryRunRow:
        channel_name = receiver.channel if receiver.channel in CHANNELS else None
        row = replace(row, channel_name=channel_name, reason=receiver.reason)
        if receiver.unusable is not None:
            return replace(row, state=UNUSABLE[receiver.unusable])
        if channel_name is None:
            reason = receiver.reason or "Alertcheck has no channel for it."
            return replace(row, state=RowState.NOT_SUPPORTED, reason=reason)
        channel = CHANNELS[channel_name]
        obstacle = channel.find_obstacle(self.outbound)
        if obstacle:
            return replace(row, state=RowState.REFUSED, reason=obstacle)
        left_out = tuple(f"{name}: the channel has no such setting." for name in list_unknown(receiver, channel))
        checked = check_settings(receiver, typed, channel, self.outbound)
        return self._apply(replace(row, notes=left_out), receiver, checked)

    def _apply(self, row: DryRunRow, receiver: FoundReceiver, checked: CheckedSettings) -> DryRunRow:
        """Return the row with what the checks found."""
        masked = mask_new_target(row.channel_name or "", checked.settings, self.cipher)
        where = (masked.short or masked.text) if masked else ""
        row = replace(row, settings=checked.settings, missing=checked.missing, where=where, errors=checked.errors)
        asked = {each.name for each in checked.missing}
        of_file = [reason for name, reason in checked.errors.items() if name not in asked]
        if of_file:
            return replace(row, state=RowState.REFUSED, reason=" ".join(of_file), missing=(), errors={})
        if checked.missing:
            return replace(row, state=RowState.NEEDS_SECRET, reason=_describe_missing(checked.missing))
        return replace(row, reason="")

    def _compare(self, row: DryRunRow, taken: dict[Place, str]) -> DryRunRow:
        """Return the row as a duplicate if its place is taken, or else take the place."""
        if row.state is not RowState.READY or row.channel_name is None:
            return row
        place = find_place(row.channel_name, row.settings, self.outbound)
        if place is None:
            return row
        if place in taken:
            return replace(row, state=RowState.DUPLICATE, reason=f"It leads to the same place as {taken[place]}.")
        taken[place] = f"{quote_name(row.name)} in this file"
        return row


def _list_secrets(receivers: Sequence[FoundReceiver], typed: Typed) -> SecretParts:
    """Return the parts of all secrets that the file contains or somebody typed: one receiver can name another's."""
    parts = [
        list_secret_parts(settings, channel.fields)
        for number, receiver in enumerate(receivers)
        if (channel := CHANNELS.get(receiver.channel or ""))
        for settings in (receiver.settings, typed.get(number, {}))
    ]
    return SecretParts(
        frozenset().union(*(each.addresses for each in parts)), frozenset().union(*(each.pieces for each in parts))
    )


def _find_safe_name(receiver: FoundReceiver, secret: SecretParts) -> str:
    """Return the receiver's name in the file, or the label of its channel if that name contains a secret."""
    if not secret.are_in(clean_name(receiver.name)):
        return receiver.name
    channel = CHANNELS.get(receiver.channel or "")
    return channel.label if channel else UNNAMED


def _describe_missing(fields: Sequence[Field]) -> str:
    labels = [each.label if each.required else f"{each.label} (optional)" for each in fields]
    return f"The file does not contain: {', '.join(labels)}."
