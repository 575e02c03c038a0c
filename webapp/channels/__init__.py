"""All channels, by name. A new channel is a new file in this folder, and the name of the file is its name."""

from importlib import import_module
from pkgutil import iter_modules

from webapp.channels.contract import Channel

CHANNELS: dict[str, Channel] = {
    module.name: import_module(f"{__name__}.{module.name}").CHANNEL
    for module in sorted(iter_modules(__path__), key=lambda module: module.name)
    if module.name != "contract"
}
