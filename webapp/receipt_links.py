"""Creates, signs and reads the "I see it" link of a test message, and recognizes when a press on its page counts."""

import hashlib
import re
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

# How long a link works after the press.
LINK_LIFETIME = timedelta(days=7)

# A press counts from this long after its page was made: programs that check mail open links and submit forms at once.
READING_TIME = timedelta(seconds=2)

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
        self._page_serializer = URLSafeSerializer(key, salt="receipt page", signer_kwargs=sha256)

    def make(self, delivery_id: int, reference: str) -> str | None:
        """Return the link of a delivery, which is the same for every attempt, or None if `public_url` is None."""
        if self.public_url is None:
            return None
        return f"{self.public_url}{PATH}{self.sign(delivery_id, reference)}"

    def sign(self, delivery_id: int, reference: str) -> str:
        """Return a token. It contains the reference too, because ids are reused after a restore from a backup."""
        return _dump(self._serializer, [delivery_id, reference])

    def read(self, token: str) -> tuple[int, str]:
        """Return the delivery's id and reference. Raises `Forged`."""
        try:
            delivery_id, reference = self._serializer.loads(token)
        except BadData:
            raise Forged from None
        return delivery_id, reference

    def sign_page(self, delivery_id: int, reference: str, made_at: datetime) -> str:
        """Return the proof that the page of a delivery's link was made at this time. It has no end."""
        return _dump(self._page_serializer, [delivery_id, reference, made_at.isoformat()])

    def was_page_read(self, proof: str, delivery_id: int, reference: str, now: datetime) -> bool:
        """Check whether the page of this delivery's link was made at least `READING_TIME` ago.

        A proof from the future is none either: the clock was set back since the page was made.
        """
        try:
            *link, made_at = self._page_serializer.loads(proof)
        except BadData:
            return False
        return link == [delivery_id, reference] and now - datetime.fromisoformat(made_at) >= READING_TIME

    def find_token(self, text: str) -> str | None:
        """Return the token of the first link in a message that leads to these pages, or None."""
        if self.public_url is None:
            return None
        found = re.search(rf"{re.escape(self.public_url + PATH)}([\w.-]+)", text, re.ASCII)
        return found[1] if found else None


def _dump(serializer: URLSafeSerializer, content: list[int | str]) -> str:
    token = serializer.dumps(content)
    return token if isinstance(token, str) else token.decode()
