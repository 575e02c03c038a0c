"""No outcome of a press leaks a secret."""

from collections.abc import Callable
from itertools import cycle, product

import pytest

from tests.end_to_end.canary.canaries import Canaries
from tests.end_to_end.scenario_runner import OMITTED, run_scenario
from tests.end_to_end.scenarios import (
    SCENARIOS,
    accepted,
    accepted_by_mail_over_tls,
    accepted_over_tls,
    accepted_with_the_address_repeated,
    busy_three_times,
    redirected_with_the_address_repeated,
)
from tests.factories import SeededIds
from webapp.channels import CHANNELS
from webapp.failures import Code, Protocol
from webapp.settings import AppSettings

HTTP_CHANNELS = [name for name, channel in CHANNELS.items() if channel.protocol is Protocol.HTTP]

# Every code, every success and every retry. Scenarios that work with any channel use the channels in turn.
RUNS = [
    *zip(SCENARIOS.values(), cycle(HTTP_CHANNELS), strict=False),
    *product([accepted, busy_three_times], HTTP_CHANNELS),
    (accepted_by_mail_over_tls, "email"),
    (accepted_over_tls, "webhook"),
    *product([accepted_with_the_address_repeated, redirected_with_the_address_repeated], HTTP_CHANNELS),
]


@pytest.mark.slow
@pytest.mark.usefixtures("context")
def test_no_outcome_of_a_press_leaks_a_secret(
    seeded: SeededIds,
    app_settings: AppSettings,
    environment: dict[str, str],
    canaries: Canaries,
    search: Callable[[], list[str]],
) -> None:
    codes = [
        run_scenario(scenario, canaries.inputs(environment, channel, omitted), seeded, app_settings).last_error_code
        for (scenario, channel), omitted in zip(RUNS, cycle(OMITTED), strict=False)
    ]

    assert set(codes) == {*Code, None}
    assert search() == []
