"""Creates, signs and reads the "I see it" link of a test message."""

import hashlib
import re
from datetime import timedelta

from itsdangerous import BadData, URLSafeSerializer

# How long a link works after the press.
LINK_LIFETIME = timedelta(days=7)

# The path of a link, in front of its token.
PATH = "/seen/"


class Forged(Exception):
    """A token was not created by this installation, or was changed."""


class ReceiptLinks:
    """Creates links and reads their tokens. public_url: the origin of the pages, or None to create no links."""

    def __init__(self, key: str, public_url: str | None) -> None:
        self.public_url = public_url
        sha256 = {"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        self._serializer = URLSafeSerializer(key, salt="receipt", signer_kwargs=sha256)

    def make(self, delivery_id: int, reference: str) -> str | None:
        """Return the link of a delivery, which is the same for every attempt, or None if `public_url` is None."""
        if self.public_url is None:
            return None
        return f"{self.public_url}{PATH}{self.sign(delivery_id, reference)}"

    def sign(self, delivery_id: int, reference: str) -> str:
        """Return a token. It contains the reference too, because ids are reused after a restore from a backup."""
        token = self._serializer.dumps([delivery_id, reference])
        return token if isinstance(token, str) else token.decode()

    def read(self, token: str) -> tuple[int, str]:
        """Return the delivery's id and reference. Raises `Forged`."""
        try:
            delivery_id, reference = self._serializer.loads(token)
        except BadData:
            raise Forged from None
        return delivery_id, reference

    def find_token(self, text: str) -> str | None:
        """Return the token of the first link in a message that leads to these pages, or None."""
        if self.public_url is None:
            return None
        found = re.search(rf"{re.escape(self.public_url + PATH)}([\w.-]+)", text, re.ASCII)
        return found[1] if found else None
