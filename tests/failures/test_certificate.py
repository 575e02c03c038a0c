"""What a failure shows of a receiver's certificate."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import String

from webapp.failures import CAUSES, MAX_LENGTH, Cause, CertificateFacts, Code, Facts, describe
from webapp.failures.certificate import describe_certificate
from webapp.models import AlertDelivery

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
VALID = CertificateFacts(
    issuer="Example Corp Root",
    names=("shop.example",),
    more_names=0,
    is_for_host=True,
    not_before=datetime(2026, 3, 3, 9, 5, tzinfo=UTC),
    not_after=datetime(2027, 3, 3, 9, 5, tzinfo=UTC),
    checked_at=NOW,
)
LONGEST = CertificateFacts(
    issuer="i" * 60,
    names=("n" * 60, "m" * 60),
    more_names=1000,
    is_for_host=False,
    not_before=NOW + timedelta(days=300),
    not_after=NOW,
    checked_at=NOW,
)


def test_the_issuer_the_names_and_the_last_day_are_shown() -> None:
    assert describe_certificate(VALID) == (
        "The certificate was issued by “Example Corp Root” for shop.example, and expires on 3 March 2027."
    )


@pytest.mark.parametrize(
    ("names", "more", "words"),
    [
        ((), 0, "for no host name (a common name does not count), and"),
        ((), 1, "for 1 name, and"),
        ((), 3, "for 3 names, and"),
        (("a.example", "b.example"), 0, "for a.example and b.example, and"),
        (("a.example",), 1, "for a.example and 1 more name, and"),
        (("a.example", "b.example"), 12, "for a.example, b.example and 12 more names, and"),
    ],
)
def test_a_few_names_are_listed_and_the_others_counted(names: tuple[str, ...], more: int, words: str) -> None:
    assert words in describe_certificate(replace(VALID, names=names, more_names=more))


def test_a_certificate_for_other_hosts_says_so() -> None:
    assert "for shop.example, not for this host, and" in describe_certificate(replace(VALID, is_for_host=False))


def test_a_sentence_about_the_wrong_name_says_it_once() -> None:
    sentence = describe(Code.TLS_HOSTNAME_MISMATCH, Facts("a.example", certificate=replace(VALID, is_for_host=False)))
    assert sentence == (
        "a.example has a certificate that was not issued for this name. "
        "The certificate was issued by “Example Corp Root” for shop.example, and expires on 3 March 2027."
    )


def test_without_a_safe_issuer_none_is_named() -> None:
    assert describe_certificate(replace(VALID, issuer=None)).startswith("The certificate was issued for shop.example,")


@pytest.mark.parametrize(
    ("checked_at", "words"),
    [
        (VALID.not_before - timedelta(seconds=1), "is not valid before 3 March 2026, 09:05 UTC."),
        (VALID.not_before, "expires on 3 March 2027."),
        (VALID.not_after, "expires on 3 March 2027."),
        (VALID.not_after + timedelta(seconds=1), "expired on 3 March 2027."),
    ],
)
def test_the_date_that_matters_is_shown(checked_at: datetime, words: str) -> None:
    assert describe_certificate(replace(VALID, checked_at=checked_at)).endswith(words)


@pytest.mark.parametrize("cause", [None, *Cause])
@pytest.mark.parametrize("length", [20, 253])
def test_every_sentence_with_the_longest_certificate_fits_its_column(cause: Cause | None, length: int) -> None:
    facts = Facts("h" * length, seconds=3.25, cause=cause, certificate=LONGEST, authority="a" * 60, on=NOW)
    sentences = {describe(code, facts) for code in Code if code.name.startswith("TLS")}
    assert max(map(len, sentences)) <= MAX_LENGTH


def test_a_certificate_that_does_not_fit_is_left_out_as_a_whole() -> None:
    facts = Facts("h" * 253, certificate=LONGEST)
    assert describe(Code.TLS_SELF_SIGNED, facts) == f"{'h' * 253} has a self-signed certificate."


def test_the_limit_is_the_size_of_the_column() -> None:
    column = AlertDelivery.__table__.c.last_error_message
    assert isinstance(column.type, String)
    assert column.type.length == MAX_LENGTH


def test_exactly_the_causes_have_sentences() -> None:
    assert set(CAUSES) == set(Cause)


@pytest.mark.parametrize("cause", Cause)
def test_a_sentence_of_a_cause_is_whole_without_facts(cause: Cause) -> None:
    sentence = describe(Code.TLS_FAILED, Facts("a.example", cause=cause))
    assert sentence.startswith("a.example ")
    assert sentence.endswith(".")
    assert [gap for gap in ("{", "None", "  ", "()", " .") if gap in sentence] == []
