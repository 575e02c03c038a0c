"""Each sentence about the queue server names the setting and the cure, and quotes nothing."""

import pytest

from webapp.queue import QueueOutage


@pytest.mark.parametrize("outage", QueueOutage)
def test_a_sentence_names_the_setting(outage: QueueOutage) -> None:
    named = [name for name in ("REDIS_URL", "REDIS_PREFIX", "ALERTCHECK_CA_FILE") if name in outage.sentence]

    assert named


@pytest.mark.parametrize("outage", QueueOutage)
def test_a_sentence_has_a_cure_and_can_be_read_aloud(outage: QueueOutage) -> None:
    trouble, separator, cure = outage.value.partition(": ")

    assert (separator, bool(trouble), len(cure.split()) > 3) == (": ", True, True)
    assert len(outage.sentence) < 220


def test_no_two_problems_have_the_same_sentence() -> None:
    assert len(set(QueueOutage)) == len(QueueOutage.__members__)
