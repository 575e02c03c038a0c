"""The state that requests and jobs of one application share."""

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

from flask import Flask, current_app
from redis import Redis
from redis.client import Pipeline

from webapp.settings import AppSettings


class IntervalBudget(Protocol):
    """Spreads polls over time; see `webapp.dashboard.poll_interval`."""

    def next_interval(self, requested: float) -> float:
        """Return the seconds after which a fragment may poll again."""

    def next_wait(self) -> float:
        """Return the seconds after which a fragment may poll again whose request then waits."""

    def next_refresh(self) -> float:
        """Return the seconds after which an open page may refresh again."""


class Clock(Protocol):
    """Returns the time that all hosts share; see `webapp.models.database_clock`."""

    def now(self) -> datetime:
        """Return the time, after connecting to the database if it was never asked."""

    def estimate(self) -> datetime:
        """Return the time without using the database."""


@dataclass(frozen=True)
class Waited:
    """How long one process has seen a row wait: in any state, and in its present one."""

    since_first_seen: timedelta
    unchanged: timedelta


class WaitObserver(Protocol):
    """Measures how long rows have waited; see `webapp.deliveries.recovery.wait_tracker`."""

    def observe(self, row: Hashable, state: Hashable) -> Waited:
        """Record that a row, by its identity, waits now, in this state, and return for how long it has."""

    def now(self) -> float:
        """Return the seconds of its clock."""


class DeliveryDispatcher(Protocol):
    """Sends deliveries in a worker process; see `webapp.worker.dispatcher`."""

    def submit(self, *delivery_ids: int) -> None:
        """Accept deliveries for sending."""

    def close(self) -> list[int]:
        """Start nothing more, and return the deliveries that were not started."""


class DeliveryJobs(Protocol):
    """The jobs that workers take; see `webapp.queue.jobs`."""

    def enqueue(self, batches: Sequence[tuple[int, ...]]) -> None:
        """Enqueue one job for each batch of delivery ids, all of them or none. Raises redis's errors."""

    def enqueue_account_mails(self, mail_ids: Sequence[int]) -> None:
        """Enqueue one job for mails to people, by their ids. Raises redis's errors."""


class OutcomeWaits(Protocol):
    """The requests that wait for the outcome of a delivery; see `webapp.queue.outcome_waits`."""

    def announce(self, delivery_id: int, pipeline: Pipeline) -> None:
        """Add the commands to a pipeline that announce a committed outcome."""

    def has_place(self) -> bool:
        """Return whether one more request could wait now."""

    def wait(self, delivery_id: int, leave: Callable[[], object]) -> bool:
        """Wait a moment for an outcome, after calling `leave`. Returns whether the request waited."""


@dataclass
class AppState:
    """One application's state.

    redis: the client of the queue server. jobs: those in it.
    looks: since when the pages of this process have shown each pending row; see
        `webapp.deliveries.recovery.page_recovery`.
    dispatcher, mail_dispatcher: of deliveries, and of mails to people. None outside worker processes.
    maintenance: what the worker does once a second besides its own work, each given the time.
    seen_paused_until, counting_paused_until: in seconds of the monotonic clock; see `webapp.auth.own_sessions` and
        `webapp.metrics.counters`.
    claim_record_kept_until, has_unrecorded_claims: see `webapp.deliveries.attempts.claim_record`.
    drawn_rows, drawn_lists: what this process has drawn for lists, each with its version; see
        `webapp.dashboard.list_rows` and `webapp.dashboard.drawn_list_cache`.
    known_destinations: the destinations of workspaces that it has read for them.
    drawn_history: rows of the history, likewise; see `webapp.dashboard.history_rows`.
    csv_downloads: how many of each account are running in this process; see `webapp.views.csv_downloads`.
    has_had_account: whether this process knows that the installation has had an account, which then stays so.
    """

    settings: AppSettings
    redis: Redis
    jobs: DeliveryJobs
    poll_budget: IntervalBudget
    clock: Clock
    looks: WaitObserver
    outcome_waits: OutcomeWaits
    dispatcher: DeliveryDispatcher | None = None
    mail_dispatcher: DeliveryDispatcher | None = None
    maintenance: list[Callable[[datetime], object]] = field(default_factory=list)
    counting_paused_until: float = -math.inf
    seen_paused_until: float = -math.inf
    claim_record_kept_until: float = -math.inf
    has_unrecorded_claims: bool = False
    has_had_account: bool = False
    drawn_rows: dict[Hashable, tuple[Any, Any]] = field(default_factory=dict)
    drawn_lists: dict[Hashable, tuple[Any, Any]] = field(default_factory=dict)
    known_destinations: dict[int, Any] = field(default_factory=dict)
    drawn_history: dict[Hashable, tuple[Any, Any]] = field(default_factory=dict)
    csv_downloads: Counter[int] = field(default_factory=Counter)

    def redis_key(self, name: str) -> str:
        """Return the key of this installation with this name. A channel has a name like a key."""
        return f"{self.settings.redis_prefix}:{name}"


def app_state(app: Flask | None = None) -> AppState:
    """Return the state of an application; by default, of the current one."""
    state: AppState = (app or current_app).extensions["alertcheck"]
    return state


def current_settings() -> AppSettings:
    """Return the settings of the current application."""
    return app_state().settings


def redis_key(name: str) -> str:
    """Return the Redis key of the current application with this name."""
    return app_state().redis_key(name)
