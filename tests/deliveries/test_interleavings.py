"""Random walks through presses, jobs, answers, crashes, recoveries and edits, each step held against the ledger."""

import os
from collections import Counter

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, note, settings

from tests.deliveries.model_runner import Walk
from tests.deliveries.random_steps import WALKS, Steps
from tests.factories import SeededIds
from webapp.settings import AppSettings

WIDER = int(os.environ.get("ALERTCHECK_WALKS", "0"))
"""How many walks to take instead of the usual ones, and others each time."""

KINDS = (
    "step", "meanwhile", "press", "cooling down", "disabled", "fail unqueued", "late fail unqueued",
    "supersede", "superseded", "destination_deleted", "destination_disabled", "destination_changed",
    "claim", "late claim", "late cancel", "claim after destination_deleted", "claim after destination_disabled",
    "claim after destination_changed", "claim after another attempt", "job in vain", "accept", "busy", "refuse",
    "silent", "sent", "fail", "defer", "out of attempts", "late record", "record during another attempt", "resume",
    "requeue", "expire", "mark lost", "late move", "forget", "die",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "walks", "often"), [("sqlite", 240, 5), ("postgres", 50, 1)], indirect=["database"]
)
def test_no_interleaving_makes_a_row_lie_or_a_message_go_twice(
    app: Flask, app_settings: AppSettings, seeded: SeededIds, walks: int, often: int
) -> None:
    happened: Counter[str] = Counter()

    @settings(
        max_examples=WIDER or walks,
        derandomize=not WIDER,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=WALKS)
    def take(steps: Steps) -> None:
        note(", ".join(map(repr, steps)))
        walk = Walk(app, app_settings, seeded)
        walk.take(steps)
        happened.update(walk.ledger.happened)

    take()
    assert [kind for kind in KINDS if happened[kind] < often] == [], happened
