"""Every failure code occurs in a real scenario and is then in the delivery's row."""

import re

import pytest

from tests.end_to_end.scenario_runner import Scenario, ScenarioInputs, run_scenario
from tests.end_to_end.scenarios import SCENARIOS
from tests.factories import SeededIds
from webapp.failures import CAUSES, MEANINGS, Cause, Code
from webapp.models import DeliveryStatus
from webapp.settings import AppSettings

CANCELED = {
    Code.DESTINATION_CHANGED,
    Code.DESTINATION_DELETED,
    Code.DESTINATION_DISABLED,
    Code.SUPERSEDED,
}
DEFERRED = {code for code in Code if MEANINGS[code].may_retry}
STATUSES = (
    dict.fromkeys(Code, DeliveryStatus.FAILED)
    | dict.fromkeys(CANCELED, DeliveryStatus.CANCELED)
    | dict.fromkeys(DEFERRED, DeliveryStatus.DEFERRED)
)
# Patterns for the placeholders of a sentence.
PLACEHOLDERS = {
    "host": r"[\w.-]+",
    "status": r"\d{3}",
    "wait": r"( \(\d[\d.]* s\))?",
    "token": r"( \(\d\.\d\.\d\))?",
    "reply": r"(: \d{3})?( \((\d\.\d\.\d+|SSH)\))?",
    "event": r"closed the connection",
    "step": r"(before|when) [\w ]+",
    "delay_reason": r"(, perhaps because of greylisting \([\w ]+\))?",
    "expected": r"smtps:// on port \d+",
    "reference": r"[0-9a-f]{8}",
    "certificate": r"( The certificate was issued [^.]+ “[^”]+” for [\w.-]+, and [\w:, ]+\.)?",
    "issued": r"( The certificate was issued [^.]+ “[^”]+” for [\w.-]+, and [\w:, ]+\.)?",
    "authority": r" \(“[^”]+”\)",
    "target": r"( on the same host)?",
    "asked_wait": "",
    "of_host": r" of [\w.-]+",
    "to_host": r" to [\w.-]+",
}
# The sentences of the scenarios whose cause is known more exactly than their code.
CAUSES_OF = {Code.TLS_FAILED: Cause.HANDSHAKE_CLOSED}


def _sentence_of(code: Code) -> str:
    """Return the pattern of a code's sentence with all its placeholders filled."""
    sentence = CAUSES[CAUSES_OF[code]] if code in CAUSES_OF else MEANINGS[code].sentence
    return re.sub(r"\\{(\w+)\\}", lambda match: PLACEHOLDERS[match[1]], re.escape(sentence))


@pytest.mark.parametrize(("code", "scenario"), SCENARIOS.items(), ids=SCENARIOS)
@pytest.mark.usefixtures("context")
def test_a_press_ends_with_the_code_and_the_sentence_of_its_failure(
    code: Code, scenario: Scenario, seeded: SeededIds, app_settings: AppSettings, environment: dict[str, str]
) -> None:
    row = run_scenario(scenario, ScenarioInputs(environment), seeded, app_settings)

    assert (row.last_error_code, row.status) == (code, STATUSES[code])
    assert re.fullmatch(_sentence_of(code), row.last_error_message or "")


def test_every_code_has_a_scenario() -> None:
    assert set(SCENARIOS) == set(Code)
