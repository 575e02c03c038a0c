"""Checks the queue server by doing what presses and workers do, in two round trips."""

from redis.exceptions import RedisError

from webapp.app_state import app_state
from webapp.queue.outage_experiments import explain, find_misfit
from webapp.queue.outage_reasons import QueueOutage

# Seconds for which the key exists that a check writes.
KEY_TTL = 5


def find_outage() -> QueueOutage | None:
    """Return why the queue server cannot be used now, or None."""
    state = app_state()
    try:
        misfit = find_misfit(state.redis.info("server"))
        if misfit is None:
            _use()
    except RedisError as error:
        return explain(error, state.settings.redis_url, state.settings.ca_file)
    return misfit


def _use() -> None:
    """Use the kinds of commands, keys and channels that Alertcheck uses. A cluster refuses several keys at once."""
    state = app_state()
    keys = [state.redis_key(f"readiness:{number}") for number in range(4)]
    with state.redis.pipeline() as pipeline:
        for key in keys:
            pipeline.set(key, 1, ex=KEY_TTL)
        pipeline.eval("return 1", len(keys), *keys)
        pipeline.zmscore(state.redis_key("readiness:none"), keys)
        pipeline.publish(state.redis_key("rq:pubsub:readiness"), "")
        pipeline.execute()
