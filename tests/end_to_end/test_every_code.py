"""Every code of the list really happens, and the delivery's row then says so."""

import re

import pytest

from tests.end_to_end.scenario_runner import Scenario, Stage, play
from tests.end_to_end.scenarios import SCENARIOS
from tests.factories import SeededIds
from webapp.failures import EXPLANATIONS, Code
from webapp.models import DeliveryStatus
from webapp.settings import AppSettings

CANCELED = {
    Code.DESTINATION_CHANGED,
    Code.DESTINATION_DELETED,
    Code.DESTINATION_DISABLED,
    Code.SUPERSEDED,
}
DEFERRED = {code for code in Code if EXPLANATIONS[code].may_retry}
STATUSES = (
    dict.fromkeys(Code, DeliveryStatus.FAILED)
    | dict.fromkeys(CANCELED, DeliveryStatus.CANCELED)
    | dict.fromkeys(DEFERRED, DeliveryStatus.DEFERRED)
)
PLACES = {
    "host": r"[\w.-]+",
    "status": r"\d{3}",
    "wait": r"( \(\d[\d.]* s\))?",
    "token": r"( \(\d\.\d\.\d\))?",
    "reference": r"[0-9a-f]{8}",
}
"""What may stand in the places of a sentence."""


def _sentence_of(code: Code) -> str:
    """Return the pattern of a code's sentence with every fact it has a place for."""
    return re.sub(r"\\{(\w+)\\}", lambda place: PLACES[place[1]], re.escape(EXPLANATIONS[code].sentence))


@pytest.mark.parametrize(("code", "scenario"), SCENARIOS.items(), ids=SCENARIOS)
@pytest.mark.usefixtures("context")
def test_a_press_ends_with_the_code_of_what_happened_and_with_its_sentence(
    code: Code, scenario: Scenario, seeded: SeededIds, app_settings: AppSettings, environment: dict[str, str]
) -> None:
    row = play(scenario, Stage(environment), seeded, app_settings)

    assert (row.last_error_code, row.status) == (code, STATUSES[code])
    assert re.fullmatch(_sentence_of(code), row.last_error_message or "")


def test_every_code_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(Code)
