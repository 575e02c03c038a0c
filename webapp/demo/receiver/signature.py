"""Checks a webhook's signature with the secret that the demo's webhook destinations share."""

from collections.abc import Mapping
from pathlib import Path

from standardwebhooks.webhooks import EmptyWebhookSecretError, Webhook, WebhookVerificationError


def check_signature(secret_file: Path | None, headers: Mapping[str, str], body: bytes) -> bool | None:
    """Return whether `body` was signed with the secret in the file; None without a usable secret or a signature."""
    webhook = _load(secret_file)
    if webhook is None or "webhook-signature" not in headers:
        return None
    try:
        webhook.verify(body, dict(headers), json_parse=False)
    except (WebhookVerificationError, ValueError):  # ValueError: a signature or body that is not text
        return False
    return True


def _load(secret_file: Path | None) -> Webhook | None:
    try:
        return Webhook(secret_file.read_text().strip()) if secret_file else None
    except (OSError, ValueError, EmptyWebhookSecretError):
        return None
