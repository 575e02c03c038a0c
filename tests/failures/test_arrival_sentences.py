"""Advice to check whether a message arrived, which is wrong once somebody knows."""

import re

import pytest

from webapp.channels import CHANNELS
from webapp.failures import CHECK_ACCEPTED, CHECK_BEFORE_TEST, MEANINGS, Code, drop_arrival_check

UNCERTAIN = [code for code in Code if MEANINGS[code].may_have_arrived]
STEPS = sorted(
    {MEANINGS[code].next_step for code in UNCERTAIN}
    | {channel.hints[code] for channel in CHANNELS.values() for code in UNCERTAIN if code in channel.hints}
)


@pytest.mark.parametrize("step", STEPS)
def test_every_next_step_of_an_uncertain_failure_begins_with_the_check(step: str) -> None:
    assert re.match("Check (in [A-Za-z ]+ )?whether the message arrived before you send another test[.] [A-Z]", step)


@pytest.mark.parametrize("has_arrived", [True, False])
@pytest.mark.parametrize("step", STEPS)
def test_no_next_step_asks_for_what_is_known(step: str, has_arrived: bool) -> None:
    rest = drop_arrival_check(step, has_arrived)

    assert "arrived" not in rest
    assert not rest.startswith(("Then", "If it did not"))
    assert rest == "" or (rest[0].isupper() and rest.endswith("."))


@pytest.mark.parametrize(
    ("text", "seen", "missing"),
    [
        (f"{CHECK_BEFORE_TEST} Then check the log.", "Check the log.", "Check the log."),
        (f"{CHECK_BEFORE_TEST} If it did not, let the receiver in.", "", "Let the receiver in."),
        (f"{CHECK_BEFORE_TEST} Give the reference to Ann.", "Give the reference to Ann.", "Give the reference to Ann."),
        (
            f"It answered with a web page. {CHECK_ACCEPTED}",
            "It answered with a web page.",
            "It answered with a web page.",
        ),
        ("Check the path.", "Check the path.", "Check the path."),
    ],
)
def test_the_rest_of_the_advice_stays(text: str, seen: str, missing: str) -> None:
    assert (drop_arrival_check(text, True), drop_arrival_check(text, False)) == (seen, missing)
