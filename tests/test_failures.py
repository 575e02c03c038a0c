"""The closed list of failures: each has its own sentence, with safe facts only."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from webapp.failures import MEANINGS, Code, DeliveryFailed, Facts, Meaning, describe

ALL_FACTS = Facts(
    host="hooks.example",
    status=404,
    seconds=5.25,
    token="no_service",
    event="closed the connection",
    step="while Alertcheck was signing in",
    delay_reason="perhaps because of greylisting",
    expected="smtps:// on port 465",
    refused=2,
    recipients=3,
    reference="K7QF",
)
SOME_FACTS = st.builds(
    Facts,
    host=st.none() | st.sampled_from(["hooks.example", "2001:db8::1", "xn--bcher-kva.example"]),
    status=st.none() | st.integers(100, 599),
    seconds=st.none() | st.floats(0, 3600),
    token=st.none() | st.sampled_from(["no_service", "5.1.1"]),
    event=st.none() | st.just("closed the connection"),
    step=st.none() | st.just("while Alertcheck was signing in"),
    delay_reason=st.none() | st.just("perhaps because of greylisting"),
    expected=st.none() | st.just("smtps:// on port 465"),
    refused=st.none() | st.integers(1, 20),
    recipients=st.none() | st.integers(1, 20),
    reference=st.none() | st.just("1f2e3d4c"),
)


def test_exactly_the_codes_have_meanings() -> None:
    assert set(MEANINGS) == set(Code)


def test_a_code_fits_its_column() -> None:
    assert max(len(code) for code in Code) <= 50


@pytest.mark.parametrize("meaning", MEANINGS.values(), ids=[code.value for code in MEANINGS])
def test_a_failures_sentence_and_next_step_are_whole_sentences(meaning: Meaning) -> None:
    assert meaning.sentence.endswith((".", ".{certificate}", ".{issued}", ".{asked_wait}"))
    assert meaning.next_step.endswith(".")


@pytest.mark.parametrize("code", Code)
def test_a_sentence_can_be_composed_without_facts(code: Code) -> None:
    sentence = describe(code)

    assert "{" not in sentence
    assert "None" not in sentence


@given(code=st.sampled_from(Code), facts=SOME_FACTS)
@settings(deadline=None)
def test_a_sentence_has_no_gap_for_any_facts(code: Code, facts: Facts) -> None:
    sentence = describe(code, facts)

    assert [gap for gap in ("{", "}", "None", "  ", "()") if gap in sentence] == []


@pytest.mark.parametrize("code", Code)
def test_a_sentence_with_every_fact_fits_its_column(code: Code) -> None:
    assert len(describe(code, Facts(host="h" * 253, status=599, seconds=120.5, token="t" * 40))) <= 500


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (Code.NOT_FOUND, "hooks.example answered 404"),
        (Code.CONNECT_TIMEOUT, "hooks.example did not complete the connection in time (5.25 s)."),
        (Code.RECIPIENTS_REFUSED, "hooks.example accepted none of the recipients: 404 (no_service)."),
        (Code.SMTP_INTERRUPTED, "hooks.example closed the connection while Alertcheck was signing in (5.25 s)."),
        (Code.SMTP_TEMPORARY, "while Alertcheck was signing in, perhaps because of greylisting: 404 (no_service)."),
        (Code.SMTP_WRONG_PORT, "hooks.example expects smtps:// on port 465, and"),
        (Code.INTERNAL_ERROR, "(reference K7QF)"),
        (Code.REMOTE_REJECTED, "(no_service)"),
    ],
)
def test_a_sentence_contains_the_facts_of_its_placeholders(code: Code, sentence: str) -> None:
    assert sentence in describe(code, ALL_FACTS)


def test_a_host_that_looks_like_a_placeholder_is_not_replaced() -> None:
    assert describe(Code.CONNECT_REFUSED, Facts(host="{token}")) == "{token} refused the connection."


@pytest.mark.parametrize("code", [code for code in Code if MEANINGS[code].may_retry])
def test_a_failure_that_may_be_retried_has_delivered_nothing(code: Code) -> None:
    assert not MEANINGS[code].may_have_arrived


def test_these_codes_may_be_retried() -> None:
    assert {code for code in Code if MEANINGS[code].may_retry} == {
        Code.DNS_TEMPORARY,
        Code.DNS_TIMEOUT,
        Code.CONNECT_REFUSED,
        Code.CONNECT_TIMEOUT,
        Code.NETWORK_UNREACHABLE,
        Code.RATE_LIMITED,
        Code.REMOTE_UNAVAILABLE,
        Code.SMTP_TEMPORARY,
        Code.SMTP_INTERRUPTED,
    }


def test_these_codes_may_have_arrived() -> None:
    assert {code for code in Code if MEANINGS[code].may_have_arrived} == {
        Code.READ_TIMEOUT,
        Code.DEADLINE_EXCEEDED,
        Code.CONNECTION_CLOSED,
        Code.INVALID_RESPONSE,
        Code.SIGN_IN_PAGE,
        Code.GATEWAY_GAVE_UP,
        Code.REMOTE_ERROR,
        Code.UNEXPECTED_STATUS,
        Code.WORKER_LOST,
        Code.INTERNAL_ERROR,
    }


@pytest.mark.parametrize("code", [code for code in Code if "nothing was sent" in MEANINGS[code].sentence])
def test_a_failure_with_nothing_sent_cannot_have_arrived(code: Code) -> None:
    assert not MEANINGS[code].may_have_arrived


@pytest.mark.parametrize("code", [code for code in Code if MEANINGS[code].may_have_arrived])
def test_a_failure_that_may_have_arrived_does_not_mention_sent(code: Code) -> None:
    assert "sent" not in MEANINGS[code].sentence


@pytest.mark.parametrize("code", [code for code in Code if MEANINGS[code].may_have_arrived])
def test_a_failure_that_may_have_arrived_asks_to_check_before_another_test(code: Code) -> None:
    assert "before you send another test" in MEANINGS[code].next_step


def test_an_error_shows_only_its_code() -> None:
    failure = DeliveryFailed(Code.NOT_FOUND, ALL_FACTS)

    assert (str(failure), repr(failure)) == ("not_found", "DeliveryFailed('not_found')")


def test_an_error_has_its_sentence_and_retry_after() -> None:
    failure = DeliveryFailed(Code.RATE_LIMITED, ALL_FACTS, retry_after=2.5)

    assert (failure.message, failure.retry_after) == (describe(Code.RATE_LIMITED, ALL_FACTS), 2.5)


def test_an_error_without_facts_has_a_sentence_too() -> None:
    assert DeliveryFailed(Code.NOT_STARTED).message == describe(Code.NOT_STARTED)


@pytest.mark.parametrize(("known_better", "may_retry"), [(None, False), (True, True), (False, False)])
def test_an_error_may_know_better_than_its_code_whether_a_retry_helps(
    known_better: bool | None, may_retry: bool
) -> None:
    assert DeliveryFailed(Code.MAILBOX_FULL, may_retry=known_better).may_retry is may_retry
