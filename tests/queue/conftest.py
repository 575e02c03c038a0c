"""Looks at a queue server as a web process does."""

from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.queue_keys import SECRET_KEY
from webapp import queue
from webapp.application import create_app
from webapp.settings import read_settings

# Returns what a process with these settings finds.
Look = Callable[..., queue.QueueOutage | None]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for servers, with a short path."""
    return tmp_path_factory.mktemp("q")


@pytest.fixture
def look() -> Look:
    """Return why a process with a REDIS_URL cannot use the queue server."""

    def look(redis_url: str, **settings: str) -> queue.QueueOutage | None:
        environment = {
            "SECRET_KEY": SECRET_KEY,
            "ALERTCHECK_CONFIG_KEYS": Fernet.generate_key().decode(),
            "DATABASE_URL": "sqlite:////nowhere/at/all.sqlite",
            "REDIS_URL": redis_url,
        }
        with create_app(read_settings(environment | settings)).app_context():
            return queue.find_outage()

    return look
