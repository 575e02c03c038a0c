"""While a process starts, nothing collects garbage; afterwards, collections work again."""

import gc
from collections.abc import Iterator

import pytest

from webapp.startup.garbage_collection import collector_paused


@pytest.fixture(autouse=True)
def _unfrozen() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_the_collector_pauses_and_then_leaves_alone_what_there_is() -> None:
    before = gc.get_freeze_count()  # of what the run of tests has frozen

    with collector_paused():
        was_enabled, kept = gc.isenabled(), [[number] for number in range(1000)]

    assert (was_enabled, gc.isenabled()) == (False, True)
    assert gc.get_freeze_count() >= before + len(kept)


def test_a_start_that_fails_turns_the_collector_on_again() -> None:
    with pytest.raises(SystemExit), collector_paused():
        raise SystemExit

    assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()

    with collector_paused():
        pass

    assert not gc.isenabled()
