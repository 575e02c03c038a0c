"""The link in a test message by which whoever reads it says "I see it": made, signed and read here."""

import hashlib
import re
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

from webapp.failures import DeliveryFailed
from webapp.outbound.policy.urls import read_url

LINK_LIFETIME = timedelta(days=7)
"""How long after the press a link works."""

PATH = "/seen/"
"""Where a link leads; the token stands behind it."""


class Forged(Exception):
    """A token is none of ours, or was changed on its way."""


class ReceiptLinks:
    """Makes links and reads their tokens. public_url: the origin that people reach the pages at; None: no links."""

    def __init__(self, key: str, public_url: str | None) -> None:
        self.public_url = public_url
        sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeSerializer(key, salt="receipt", signer_kwargs=sha256)

    def make(self, delivery_id: int, reference: str) -> str | None:
        """Make the link of a delivery, the same for every attempt, or None where nobody could follow it."""
        if self.public_url is None:
            return None
        return f"{self.public_url}{PATH}{self.sign(delivery_id, reference)}"

    def sign(self, delivery_id: int, reference: str) -> str:
        """Make a token. It holds the reference too: after a restore from a backup, ids are given out again."""
        token = self._serializer.dumps([delivery_id, reference])
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> tuple[int, str]:
        """Return the delivery's id and its reference. Raises `Forged`."""
        try:
            delivery_id, reference = self._serializer.loads(token)
        except BadData:
            raise Forged from None
        return delivery_id, reference

    def find_token(self, text: str) -> str | None:
        """Find the token of a link of ours in a message; what leads anywhere else is none."""
        if self.public_url is None:
            return None
        found = re.search(rf"{re.escape(self.public_url + PATH)}([\w.-]+)", text, re.ASCII)
        return found[1] if found else None


def read_public_url(text: str) -> str:
    """Return the canonical origin. Raises ValueError with the rest of a sentence about the setting."""
    try:
        target = read_url(text)
    except DeliveryFailed:
        target = None
    # Not repeated: a password may stand in it.
    if target is None or target.path != "/":
        raise ValueError("takes scheme://host without a path, such as https://alertcheck.example.com.")
    return f"{target.scheme}://{target.authority}"
