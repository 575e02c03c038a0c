"""All channels, by name. A new channel is a new file in this folder, and the name of the file is its name."""

from importlib import import_module
from pkgutil import iter_modules

from webapp.channels.addresses import find_target
from webapp.channels.contract import Channel
from webapp.channels.fields import Field, SettingInvalid
from webapp.outbound import OutboundClient

_NOT_A_CHANNEL = {
    "addresses",
    "contract",
    "fields",
    "hosted_service",
    "mail_recipients",
    "message",
    "responses",
    "webhook_authentication",
    "webhook_bodies",
    "webhook_headers",
    "webhook_signing",
}

CHANNELS: dict[str, Channel] = {
    module.name: import_module(f"{__name__}.{module.name}").CHANNEL
    for module in sorted(iter_modules(__path__), key=lambda module: module.name)
    if module.name not in _NOT_A_CHANNEL
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
