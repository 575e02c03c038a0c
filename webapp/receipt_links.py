"""Creates, signs and reads the "I see it" link of a test message, and proves when a page was made."""

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

# How long a link works after the test was requested. Somebody who opens it on the last of the seven days within which a
# drill should be confirmed, `CONFIRM_WITHIN`, still has an hour to press the button.
LINK_LIFETIME = timedelta(days=7, hours=1)

# A press counts from this long after its page was made: programs that check mail open links and submit forms at once.
READING_TIME = timedelta(seconds=2)

# The path of a link, in front of its token.
PATH = "/seen/"


class Forged(Exception):
    """A token was not created by this installation, or was changed."""


class PageProofs:
    """Signs when a page was made, and for what. kind: the kind of page, for which alone its proofs are valid."""

    def __init__(self, key: str, kind: str) -> None:
        self._serializer = _make_serializer(key, kind)

    def sign(self, subject: Sequence[int | str], made_at: datetime) -> str:
        """Return the proof that the page of a subject was made at this time. It has no end."""
        return _dump(self._serializer, [*subject, made_at.isoformat()])

    def find_time(self, proof: str, subject: Sequence[int | str]) -> datetime | None:
        """Return when the page of this subject was made, or None if the proof is forged or of another subject."""
        try:
            *signed, made_at = self._serializer.loads(proof)
        except BadData:
            return None
        return datetime.fromisoformat(made_at) if signed == list(subject) else None


def is_read(made_at: datetime, now: datetime) -> bool:
    """Check whether a page was made at least `READING_TIME` ago.

    One from the future was not: the clock was set back since the page was made.
    """
    return now - made_at >= READING_TIME


class ReceiptLinks:
    """Creates links and reads their tokens. public_url: the origin of the pages, or None to create no links."""

    def __init__(self, key: str, public_url: str | None) -> None:
        self.public_url = public_url
        self._serializer = _make_serializer(key, "receipt")
        self._pages = PageProofs(key, "receipt page")

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
        return self._pages.sign((delivery_id, reference), made_at)

    def was_page_read(self, proof: str, delivery_id: int, reference: str, now: datetime) -> bool:
        """Check whether the proof is of this delivery's link, and its page was made at least `READING_TIME` ago."""
        made_at = self._pages.find_time(proof, (delivery_id, reference))
        return made_at is not None and is_read(made_at, now)

    def find_token(self, text: str) -> str | None:
        """Return the token of the first link in a message that leads to these pages, or None."""
        if self.public_url is None:
            return None
        found = re.search(rf"{re.escape(self.public_url + PATH)}([\w.-]+)", text, re.ASCII)
        return found[1] if found else None


def _make_serializer(key: str, salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(key, salt=salt, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"})


def _dump(serializer: URLSafeSerializer, content: list[int | str]) -> str:
    token = serializer.dumps(content)
    return token if isinstance(token, str) else token.decode()
