"""What administrators are told about the database: the cure, and nothing that may be secret."""

import pytest

from webapp.database.outage_reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_sentence_quotes_nothing_and_ends_with_the_cure(reason: Reason) -> None:
    assert reason.sentence.startswith("The database ")
    assert "://" not in reason.sentence
    assert "@" not in reason.sentence
    assert reason is Reason.BUSY or ": " in reason.sentence


# Reasons that are the same whatever DATABASE_URL is, or about the server alone.
WITHOUT_A_SETTING = {
    Reason.STARTING,
    Reason.BUSY,
    Reason.POOLER_BUSY,
    Reason.FULL,
    Reason.NOT_MIGRATED,
    Reason.WRONG_USER,
}


@pytest.mark.parametrize("reason", [reason for reason in Reason if reason not in WITHOUT_A_SETTING])
def test_a_sentence_names_the_setting(reason: Reason) -> None:
    assert "DATABASE_URL" in reason.sentence
