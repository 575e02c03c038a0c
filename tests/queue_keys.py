"""The keys that the tests' installation has in Redis."""

from webapp.environment.redis_prefix import derive_redis_prefix

SECRET_KEY = "a key for tests, long enough to sign with"
PREFIX = derive_redis_prefix(SECRET_KEY)


def key_of(name: str) -> str:
    """Return the key with this name."""
    return f"{PREFIX}:{name}"
