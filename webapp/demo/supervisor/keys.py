"""The demo's own keys: made once, kept beside its data, readable by their owner alone."""

import secrets
from base64 import b64encode
from collections.abc import Callable, Mapping
from pathlib import Path

from cryptography.fernet import Fernet

from webapp.demo.supervisor.options import write_private
from webapp.environment.deprecated_names import use_new_names


def _new_webhook_secret() -> str:
    return "whsec_" + b64encode(secrets.token_bytes(32)).decode()


RECIPES: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(32),
    "ALERTCHECK_CONFIG_KEYS": lambda: Fernet.generate_key().decode(),
    "WEBHOOK_SECRET": _new_webhook_secret,
}


def load_keys(file: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Return every key: the environment's, else the file's, else a new one that the file then keeps."""
    kept = _read(file)
    new = {name: make() for name, make in RECIPES.items() if name not in kept}
    kept |= new
    if new:
        write_private(file, "".join(f"{name}={value}\n" for name, value in kept.items()))
    return {name: environment.get(name) or kept[name] for name in RECIPES}


def _read(file: Path) -> dict[str, str]:
    """Return the kept keys under their new names: an older run wrote CONFIG_KEYS."""
    if not file.exists():
        return {}
    pairs = (line.partition("=") for line in file.read_text().splitlines())
    return dict(use_new_names({name: value for name, _, value in pairs if value}).environ)
