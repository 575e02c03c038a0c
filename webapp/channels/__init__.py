"""All channels, by name. A new channel is a new file in this folder with a `CHANNEL`, named as the file is."""

from importlib import import_module
from pkgutil import iter_modules

from webapp.channels.addresses import find_target
from webapp.channels.contract import Channel
from webapp.channels.fields import Field, SettingInvalid
from webapp.outbound import OutboundClient

_MODULES = {module.name: import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)}

CHANNELS: dict[str, Channel] = {
    name: module.CHANNEL for name, module in sorted(_MODULES.items()) if hasattr(module, "CHANNEL")
}


def check_setting(channel: Channel, field: Field, text: str, outbound: OutboundClient) -> str:
    """Return the value to store for what someone entered into a field. Raises `SettingInvalid`.

    Also refuses the address of another channel's service, and names that channel.
    """
    if field is channel.target_field:
        _refuse_other_services(channel, text, outbound)
    return field.check(text, outbound)


def _refuse_other_services(channel: Channel, text: str, outbound: OutboundClient) -> None:
    target = find_target(text)
    if target is None or outbound.policy.trusts(target):
        return
    for other in CHANNELS.values():
        if other is not channel and other.owns(target):
            raise SettingInvalid(
                f"{target.host} is a host of {other.label}, so the address does not match the type of this "
                f"destination, {channel.label}. Add a destination of type {other.label} instead."
            )
