"""All channels, by name. A new channel is a new file in this folder with a `CHANNEL`, named as the file is."""

from importlib import import_module
from pkgutil import iter_modules

from webapp.channels.addresses import find_target, refuse_retired_service
from webapp.channels.contract import Channel
from webapp.channels.fields import Field, FieldKind, SettingInvalid
from webapp.outbound import OutboundClient

_MODULES = {module.name: import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)}

_FOUND = ((name, module.CHANNEL) for name, module in _MODULES.items() if hasattr(module, "CHANNEL"))

# In the order in which pages list them.
CHANNELS: dict[str, Channel] = dict(sorted(_FOUND, key=lambda item: item[1].label.casefold()))

# Those whose messages wake somebody up.
PAGING_CHANNELS = [name for name, channel in CHANNELS.items() if channel.pages_people]

# The fields into which somebody may paste an address: where it belongs, or instead of a part of it.
_MAY_GET_ADDRESS = (FieldKind.ADDRESS, FieldKind.SERVER, FieldKind.SECRET, FieldKind.TEXT, FieldKind.RECIPIENTS)


def describe_channel(channel_name: str) -> str:
    """Return what a channel is called; its name, if this version does not have it."""
    channel = CHANNELS.get(channel_name)
    return channel.label if channel else channel_name


def check_setting(channel: Channel, field: Field, text: str, outbound: OutboundClient) -> str:
    """Return the value to store for what someone entered into a field. Raises `SettingInvalid`.

    Also refuses the address of another channel's service, and names that channel, and that of a retired service.
    """
    if field.kind in _MAY_GET_ADDRESS:
        _refuse_other_services(channel, text, outbound)
    return field.check(text, outbound)


def _refuse_other_services(channel: Channel, text: str, outbound: OutboundClient) -> None:
    target = find_target(text)
    if target is None or outbound.policy.trusts(target):
        return
    refuse_retired_service(target)
    for other in CHANNELS.values():
        if other is not channel and other.owns(target):
            raise SettingInvalid(
                f"{target.host} is a host of {other.label}, so the address does not match the type of this "
                f"destination, {channel.label}. Add a destination of type {other.label} instead."
            )
