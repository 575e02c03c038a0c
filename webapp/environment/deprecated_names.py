"""Translates the old names of settings, from before they all began with ALERTCHECK_, and warns about each one."""

from collections.abc import Mapping
from dataclasses import dataclass

from webapp.environment.cleaning import clean, clean_name

NEW_NAMES: Mapping[str, str] = {
    name: f"ALERTCHECK_{name}"
    for name in (
        "ALLOWED_HOSTS",
        "CONFIG_KEYS",
        "CONFIG_KEYS_FILE",
        "DEMO",
        "DEMO_INBOX",
        "DEMO_RECEIVER_HTTP",
        "DEMO_SIGNING_SECRET_FILE",
        "HTTPS",
        "KEEP_DELIVERIES_DAYS",
        "MAIL_FROM",
        "MAIL_URL",
        "METRICS_TOKEN",
        "PRESSES_PER_MEMBER",
        "PRESSES_PER_WORKSPACE",
        "PUBLIC_URL",
        "REAL_ALERT_WAITS",
        "TRUSTED_PROXIES",
        "WEB_ADDRESS",
    )
}


@dataclass(frozen=True)
class RenamedVariables:
    """environ: the variables under their new names. warnings, problems: sentences about the old names."""

    environ: Mapping[str, str]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


def use_new_names(environ: Mapping[str, str]) -> RenamedVariables:
    """Give every variable its new name. An empty variable counts as unset. A variable already set keeps its value."""
    environ = {clean_name(name): text for name, text in environ.items()}
    old = {name: new for name, new in NEW_NAMES.items() if _value(environ, name)}
    moved = {new: environ[name] for name, new in old.items() if not _value(environ, new)}
    differ = [name for name, new in old.items() if _value(environ, new) not in ("", _value(environ, name))]
    return RenamedVariables(
        environ={name: text for name, text in environ.items() if name not in NEW_NAMES} | moved,
        warnings=tuple(f"{name} is an old name. Rename it to {new}." for name, new in old.items()),
        problems=tuple(
            f"{name} and {old[name]} are set to different values. Remove {name}, which is the old name."
            for name in differ
        ),
    )


def _value(environ: Mapping[str, str], name: str) -> str:
    return clean(environ.get(name, ""))
