"""Checks the settings of a receiver as the form of its channel would. Connects to nothing."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from webapp.channels import check_setting
from webapp.channels.contract import Channel
from webapp.channels.fields import Field, SettingInvalid, Settings
from webapp.imports.file_contents import FoundReceiver
from webapp.outbound import OutboundClient

NOT_TEXT = "It contains characters that are not text."


@dataclass(frozen=True)
class CheckedSettings:
    """settings: the valid ones, to be stored. Secret.

    missing: the fields to be completed. errors: what is wrong, by field, in sentences without secrets.
    """

    settings: Settings = field(repr=False)
    missing: tuple[Field, ...]
    errors: Mapping[str, str]


def check_settings(
    receiver: FoundReceiver, typed: Settings | None, channel: Channel, outbound: OutboundClient
) -> CheckedSettings:
    """Check what the file has and what somebody typed to complete it.

    typed: by field; None if the receiver is not to be added yet. If it is, an optional setting may stay blank.
    """
    asked = _list_asked(receiver, channel)
    given = {name: _trim(value) for name, value in {**receiver.settings, **_choose(typed or {}, asked)}.items()}
    settings, errors = {}, {}
    for each in channel.fields:
        text = given.get(each.name) or each.default
        if not text:
            continue
        try:
            settings[each.name] = _check(channel, each, text, outbound)
        except SettingInvalid as reason:
            errors[each.name] = str(reason)
    lacking = [each for each in channel.fields if each.name in asked and each.name not in settings]
    missing = tuple(each for each in lacking if typed is None or each.required or each.name in errors)
    if typed is not None:
        errors = {each.name: each.request for each in missing} | errors
    if not missing and not errors:
        errors = dict(channel.find_conflicts(settings))
        missing = tuple(each for each in channel.fields if each.name in asked and each.name in errors)
    return CheckedSettings(settings, missing, errors)


def list_unknown(receiver: FoundReceiver, channel: Channel) -> list[str]:
    """Return the settings of a receiver that its channel does not have."""
    known = {each.name for each in channel.fields}
    return sorted(name for name in {*receiver.settings, *receiver.missing} - known if name.isidentifier())


def _list_asked(receiver: FoundReceiver, channel: Channel) -> frozenset[str]:
    """Return the fields that somebody has to complete: those that the file refers to, and what is required."""
    required = {each.name for each in channel.fields if each.required and not each.default}
    blank = {name for name in required if not _trim(receiver.settings.get(name, ""))}
    return (receiver.missing & {each.name for each in channel.fields}) | blank


def _choose(typed: Settings, asked: Collection[str]) -> dict[str, str]:
    return {name: value for name, value in typed.items() if name in asked and _trim(value)}


def _trim(value: str) -> str:
    return value.replace("\x00", "").strip()


def _check(channel: Channel, each: Field, text: str, outbound: OutboundClient) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise SettingInvalid(NOT_TEXT) from None
    return check_setting(channel, each, text, outbound)
