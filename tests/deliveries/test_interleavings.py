"""Random sequences of presses, jobs, responses, crashes, recovery passes and edits, compared with a reference model."""

import os
from collections import Counter
from random import getrandbits

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, note, seed, settings

from tests.deliveries.model_runner import ModelRun
from tests.deliveries.random_steps import RUNS, Steps
from tests.factories import SeededIds
from webapp.settings import AppSettings

# Set to run this many random sequences, different ones each time, instead of the usual number.
RUN_COUNT = int(os.environ.get("ALERTCHECK_MODEL_RUNS", "0"))

# Fixed, because Hypothesis otherwise derives the seed from the test's source, so that every edit changes the inputs.
FIXED_SEED = 0x801D0796E7B3A53057AD36157D0FD7D4F40C7B66D1535B4FF0755367CC689B0667C3FF3FC0ECD13DD8F1B2A5800A3984
SEED = getrandbits(128) if RUN_COUNT else FIXED_SEED

KINDS = (
    "step", "interruption", "press", "cooling down", "disabled", "fail unqueued", "late fail unqueued", "supersede",
    "superseded", "destination_deleted", "destination_disabled", "destination_changed", "claim", "late claim",
    "late cancel", "claim after destination_deleted", "claim after destination_disabled",
    "claim after destination_changed", "claim after another attempt", "unneeded job", "accept", "busy", "refuse",
    "silent", "sent", "fail", "defer", "out of attempts", "late record", "record during another attempt", "resume",
    "requeue", "expire", "expire without record", "mark lost", "outdated decision", "forget", "die",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "runs", "min_count"), [("sqlite", 240, 5), ("postgres", 50, 1)], indirect=["database"]
)
def test_no_interleaving_makes_a_row_false_or_sends_a_message_twice(
    app: Flask, app_settings: AppSettings, seeded: SeededIds, runs: int, min_count: int
) -> None:
    counts: Counter[str] = Counter()

    @seed(SEED)
    @settings(
        max_examples=RUN_COUNT or runs,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    @given(steps=RUNS)
    def run_steps(steps: Steps) -> None:
        note(", ".join(map(repr, steps)))
        run = ModelRun(app, app_settings, seeded)
        run.run(steps)
        counts.update(run.model.counts)

    run_steps()
    assert [kind for kind in KINDS if counts[kind] < min_count] == [], counts
