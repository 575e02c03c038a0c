"""Random walks through presses, jobs, answers, crashes, recoveries and edits, each step held against the ledger."""

import os
from collections import Counter
from collections.abc import Sequence
from itertools import chain

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.cast import Cast
from tests.deliveries.walks import Step, Walk
from webapp.config import Config

WIDER = int(os.environ.get("ALERTCHECK_WALKS", "0"))
"""How many walks to take instead of the usual ones, and others each time."""

Steps = Sequence[Step]


def _steps(words: str) -> tuple[Step, ...]:
    """Read steps as a walk that failed prints them: `press 0, wait 61`."""
    return tuple(Step(name, float(of)) for name, of in (step.rsplit(" ", 1) for step in words.split(", ")))


RECENT = st.sampled_from((0, 0, 0, 1, 2))
WAITS = st.sampled_from((1, 4, 11, 20, 61, 125)).map(lambda of: (Step("wait", of),))

MEANWHILE = st.sampled_from(
    [
        _steps(words)
        for words in (
            "rival 0",
            "rival 0, accept 0, record 0",
            "rival 0, busy 0, record 0, wait 4, recover 1",
            "drop 0",
            "wait 61, press 0",
            "wait 61, press 1",
            "wait 125, recover 1",
            "wait 125, look 0",
            "wait 11, recover 0",
            "recover 1",
            "record 0",
            "accept 0, record 0",
            "job 0",
            "disable 0",
            "disable 1, enable 1",
            "edit 0",
            "edit 1",
            "delete 0",
            "die 0",
            "forget 0",
        )
    ]
)

CALM = st.sampled_from(
    [
        _steps(words)
        for words in (
            "press 0, enqueue 0, job 0, accept 0, record 0",
            "press 1, enqueue 0, job 0, refuse 0, record 0",
            "press 0, enqueue 0, job 0, silent 0, record 0",
            "press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, accept 0, record 0",
            "press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, busy 0, record 0",
            "wait 20, recover 1, job 0, accept 0, record 0",
            "press 0, drop 0",
            "press 0, wait 11, recover 0, job 0, accept 0, record 0",
            "recover 0",
            "job again 0",
            "disable 0",
            "enable 0",
            "edit 1",
            "look 0",
            "forget 0",
        )
    ]
)

RACY = st.sampled_from(
    [
        _steps(words)
        for words in (
            "press 0, enqueue 0, enqueue 0",
            "press 1, enqueue 0",
            "recover 0, wait 20, recover 0, record 0",
            "job 0, busy 0, record 0, wait 4, recover 0",
            "job 0, record again 0",
            "job 0, die 0",
            "accept 0",
            "busy 0, record 0",
            "refuse 0",
            "silent 0, record 1",
            "record 0",
            "record again 0",
            "drop 0",
            "disable 0",
            "enable 0",
            "edit 0",
            "delete 1",
            "look 0",
            "forget 0",
            "die 0",
        )
    ]
)

INTERRUPTED = st.builds(
    lambda name, of, meanwhile: (Step(name, of, meanwhile),),
    st.sampled_from(("job", "job", "job", "job again", "recover", "press")),
    RECENT,
    MEANWHILE,
)


def _walks(*kinds: st.SearchStrategy[Steps]) -> st.SearchStrategy[list[Step]]:
    parts = st.lists(st.one_of(*kinds), min_size=12, max_size=30)
    return parts.map(lambda taken: list(chain.from_iterable(taken)))


WALKS = st.one_of(_walks(CALM, CALM, WAITS), _walks(RACY, RACY, INTERRUPTED, INTERRUPTED, WAITS))
"""Half of them calm, half of them full of races."""

OFTEN = 20
KINDS = (
    "step", "meanwhile", "press", "cooling down", "disabled", "drop", "late drop", "supersede", "superseded",
    "destination_deleted", "destination_disabled", "destination_changed", "claim", "late claim", "job in vain",
    "accept", "busy", "refuse", "silent", "sent", "fail", "defer", "late record", "record during another attempt",
    "resume", "remind", "give up", "lose", "late move", "forget", "die",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("database", "walks"), [("sqlite", 300), ("postgres", 60)], indirect=["database"])
def test_no_interleaving_makes_a_row_lie_or_a_message_go_twice(
    app: Flask, config: Config, cast: Cast, walks: int
) -> None:
    happened: Counter[str] = Counter()

    @settings(
        max_examples=WIDER or walks,
        derandomize=not WIDER,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=WALKS)
    def take(steps: list[Step]) -> None:
        walk = Walk(app, config, cast)
        walk.take(steps)
        happened.update(walk.ledger.happened)

    take()
    print(happened)
    assert [kind for kind in KINDS if happened[kind] < OFTEN] == []
