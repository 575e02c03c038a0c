"""The prefix of every key in Redis, which keeps installations on one server apart."""

import hashlib
import hmac
import re

# No colon inside: the keys of `a` would include those of `a:b`.
_ALLOWED = re.compile("[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


def check_redis_prefix(text: str) -> str:
    """Return the prefix without colons at its end. RQ and the patterns of an ACL allow these characters."""
    prefix = text.rstrip(":")
    if not _ALLOWED.fullmatch(prefix):
        raise ValueError("has to be 1 to 64 letters, digits and _ . - in ASCII, such as alertcheck-staging.")
    return prefix


def derive_redis_prefix(secret_key: str) -> str:
    """Return the default prefix: two installations have different secret keys, and nobody can compute one from it."""
    digest = hmac.new(secret_key.encode(), b"alertcheck redis prefix", hashlib.sha256).hexdigest()
    return f"alertcheck-{digest[:12]}"
