"""What a customer reads about an outcome: nothing that only members can do or need to know."""

import pytest

from webapp.channels import CHANNELS
from webapp.dashboard.customer_wording import ASK, ASK_OTHERWISE, OUR_SETTINGS, word_for_customer
from webapp.deliveries.badge import describe_outcome
from webapp.failures import MEANINGS, Code
from webapp.models import TEST_EVENT, AlertDelivery, DeliveryStatus

OUTCOMES = [(channel, code) for channel, definition in CHANNELS.items() for code in sorted(definition.codes)]


def word(channel: str, code: Code, message: str = "It failed.") -> tuple[str, str]:
    """Return the sentence and the next step that a customer reads about a failed test."""
    failed = AlertDelivery(
        event_type=TEST_EVENT, status=DeliveryStatus.FAILED, last_error_code=code, last_error_message=message
    )
    outcome = word_for_customer(describe_outcome(failed, channel))
    return outcome.sentence, outcome.next_step or ""


@pytest.mark.parametrize(("channel", "code"), OUTCOMES)
def test_no_failure_tells_a_customer_to_do_what_only_members_can_do(channel: str, code: Code) -> None:
    sentence, next_step = word(channel, code, MEANINGS[code].sentence)

    for text in (sentence, next_step):
        assert "ALERTCHECK_" not in text
        assert "administrator" not in text.replace("administrator of", "")
    assert next_step


def test_what_a_customer_can_do_stays() -> None:
    assert word("webhook", Code.TLS_SELF_SIGNED)[1] == (
        f"On the receiver, install a certificate for this host from a public authority. {ASK_OTHERWISE}"
    )


@pytest.mark.parametrize("code", [Code.SMTP_RELAY_DENIED, Code.SMTP_DISABLED_BY_TENANT, Code.TLS_EXPIRED])
def test_what_only_members_can_do_is_replaced(code: Code) -> None:
    assert word("email", code)[1] == ASK


def test_a_cause_that_names_a_setting_is_replaced() -> None:
    assert word("email", Code.SMTP_WRONG_PORT, "It expects TLS, and ALERTCHECK_MAIL_URL begins with a scheme.")[0] == (
        OUR_SETTINGS
    )
