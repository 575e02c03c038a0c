"""Progress: a process counts while something goes on in it."""

import time
from collections.abc import Callable

import pytest

from webapp.worker.progress import Progress


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Set the monotonic clock to these seconds."""
    return lambda seconds: monkeypatch.setattr(time, "monotonic", lambda: seconds)


def test_a_process_in_which_nothing_has_gone_on_does_not_count() -> None:
    assert not Progress().is_recent()


@pytest.mark.parametrize(("seconds", "is_recent"), [(4, True), (4.1, False)])
def test_what_went_on_counts_for_4_seconds(set_clock: Callable[[float], None], seconds: float, is_recent: bool) -> None:
    progress = Progress()
    set_clock(100)
    progress.note()

    set_clock(100 + seconds)

    assert progress.is_recent() is is_recent
