"""Signs a webhook's messages with the secret that its receiver knows too.

Source: the Standard Webhooks specification (standardwebhooks.com).
"""

import base64
import secrets
from datetime import datetime

from standardwebhooks import Webhook
from standardwebhooks.webhooks import EmptyWebhookSecretError

from webapp.channels.fields import SettingInvalid
from webapp.failures import Code, DeliveryFailed
from webapp.outbound import OutboundClient
from webapp.outbound.policy.pasted_urls import strip_wrapping

SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of every secret

# The length of a key in bytes, as the specification requires it, and that of the keys made here.
SECRET_BYTES = range(24, 65)
NEW_SECRET_BYTES = 32


def check_secret(text: str, outbound: OutboundClient) -> str:
    """Return a signing secret as it is stored. Raises `SettingInvalid`."""
    secret = strip_wrapping(text)
    if not secret.startswith(SECRET_PREFIX):
        raise SettingInvalid("A signing secret begins with whsec_.")
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        # People often omit the = at the end.
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except ValueError:
        raise SettingInvalid("The part after whsec_ is not valid Base64. Copy the whole secret again.") from None
    if len(key) not in SECRET_BYTES:
        raise SettingInvalid("A signing secret encodes 24 to 64 random bytes. This one is too short or too long.")
    return secret


def generate_secret() -> str:
    """Return a new signing secret."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(NEW_SECRET_BYTES)).decode()


def sign(secret: str, message_id: str, now: datetime, body: str) -> str:
    """Return the signature of a body. Raises `DeliveryFailed` if the secret cannot sign."""
    try:
        return Webhook(secret).sign(message_id, now, body)
    except (ValueError, EmptyWebhookSecretError):
        raise DeliveryFailed(Code.CONFIG_INCOMPLETE) from None
