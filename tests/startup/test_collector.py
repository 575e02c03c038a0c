"""While a process starts, nothing collects garbage; afterwards, collections work again."""

import gc
from collections.abc import Iterator

import pytest

from webapp.startup.collector import collector_paused


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_the_collector_pauses_and_then_leaves_alone_what_there_is() -> None:
    with collector_paused():
        was_enabled, kept = gc.isenabled(), [object() for _ in range(1000)]

    assert (was_enabled, gc.isenabled(), gc.get_freeze_count() > len(kept)) == (False, True, True)


def test_a_start_that_fails_turns_the_collector_on_again() -> None:
    with pytest.raises(SystemExit), collector_paused():
        raise SystemExit

    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()

    with collector_paused():
        pass

    assert not gc.isenabled()
