"""Where Flask-Limiter counts: on the queue server, through redis-py and no other client."""

from limits.storage import RedisStorage

SCHEME = "redis-py"


class RedisPyStorage(RedisStorage):
    """The storage of limits, which needs redis-py only: by default, it loads Valkey's client too, if there is one."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012 (limits reads it so)
    DEPENDENCIES = {"redis": RedisStorage.DEPENDENCIES["redis"]}  # noqa: RUF012
