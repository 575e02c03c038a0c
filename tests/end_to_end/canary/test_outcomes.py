"""However a press ends, no secret gets out."""

from collections.abc import Callable
from itertools import cycle, product

import pytest

from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.scenario_runner import play
from tests.end_to_end.scenarios import SCENARIOS, accepted, accepted_by_mail_over_tls, tried_thrice
from tests.factories import SeededIds
from webapp.failures import Code
from webapp.settings import AppSettings

HTTP_CHANNELS = ("webhook", "teams", "slack")

PLAYS = [
    *zip(SCENARIOS.values(), cycle(HTTP_CHANNELS), strict=False),
    *product([accepted, tried_thrice], HTTP_CHANNELS),
    (accepted_by_mail_over_tls, "email"),
]
"""Every code, every success and every retry; where it does not matter which channel it is, each has its turn."""


@pytest.mark.slow
@pytest.mark.usefixtures("context")
def test_no_secret_gets_out_however_a_press_ends(
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    search: Callable[[], list[str]],
) -> None:
    codes = [
        play(scenario, canaries.stage(environment, channel), seeded, app_settings).last_error_code
        for scenario, channel in PLAYS
    ]

    assert set(codes) == {*Code, None}
    assert search() == []
