"""The installation's settings: which there are, how they are read, and what the application gets."""

from webapp.settings.app_settings import VISIT_TIME, AppSettings, Demo, DemoVisitors, SendLimits
from webapp.settings.reading import OWN_HOSTS, read_settings
from webapp.settings.variables import SettingsModel

__all__ = [
    "OWN_HOSTS",
    "VISIT_TIME",
    "AppSettings",
    "Demo",
    "DemoVisitors",
    "SendLimits",
    "SettingsModel",
    "read_settings",
]
