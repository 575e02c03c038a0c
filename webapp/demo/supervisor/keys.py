"""Creates the demo's keys once and keeps them beside its data, readable by their owner only."""

import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

from webapp.demo.supervisor.options import write_private
from webapp.environment.deprecated_names import use_new_names


def _new_webhook_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


def _new_config_key() -> str:
    """Return a key for Fernet: 32 random bytes (github.com/fernet/spec)."""
    return urlsafe_b64encode(secrets.token_bytes(32)).decode()


GENERATORS: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(32),
    "ALERTCHECK_CONFIG_KEYS": _new_config_key,
    "WEBHOOK_SECRET": _new_webhook_secret,
}


def load_keys(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return each key from the environment, or else from the file. Missing keys are created and added to the file."""
    kept = _read(file)
    new = {name: generate() for name, generate in GENERATORS.items() if name not in kept}
    kept |= new
    if new:
        write_private(file, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return {name: environment.get(name) or kept[name] for name in GENERATORS}


def _read(file: Path) -> dict[str, str]:
    """Return the keys of the file under their new names: older versions wrote CONFIG_KEYS."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return dict(use_new_names({name: value for name, _, value in pairs if value}).environ)
