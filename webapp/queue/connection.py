"""Connects to the queue server."""

import ssl
from typing import Any

import certifi
from redis import ConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# Options of a Redis client that fails fast: a person waits, and a press contacts a frozen server three times.
CONNECT_TIMEOUT = 0.5
FAIL_FAST = {
    "socket_connect_timeout": CONNECT_TIMEOUT,
    "socket_timeout": CONNECT_TIMEOUT,
    "retry": Retry(NoBackoff(), 0),
}


def connect(redis_url: str, ca_file: str | None = None, **options: Any) -> Redis:
    """Return a Redis client that fails fast. ca_file: more authorities to trust. options: of redis-py."""
    return Redis.from_url(redis_url, **{**FAIL_FAST, **_tls_options(redis_url, ca_file), **options})


def connect_patiently(redis_url: str, ca_file: str | None = None) -> Redis:
    """Return the Redis client of a worker process: it waits for jobs, and RQ sets its time limits."""
    return Redis.from_url(redis_url, **_tls_options(redis_url, ca_file))


def limiter_options(pool: ConnectionPool, prefix: str) -> dict[str, Any]:
    """Return what makes Flask-Limiter use the connections of a client, and keys of its own."""
    return {"connection_pool": pool, "key_prefix": f"{prefix}:limits", "wrap_exceptions": True}


def _tls_options(redis_url: str, ca_file: str | None) -> dict[str, Any]:
    """Trust the same authorities as for receivers (`webapp.outbound.transport.tls`), by redis-py's names."""
    if not redis_url.startswith("rediss://"):
        return {}
    return {
        "ssl_ca_certs": ca_file,
        "ssl_ca_data": certifi.contents(),
        "ssl_min_version": ssl.TLSVersion.TLSv1_2,
        "ssl_include_verify_flags": [ssl.VERIFY_X509_PARTIAL_CHAIN],
        # Python 3.13 sets it by default, and then refuses private authorities without a key identifier.
        "ssl_exclude_verify_flags": [ssl.VERIFY_X509_STRICT],
    }
