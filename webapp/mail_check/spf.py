"""Evaluates SPF for an address as a receiver does (RFC 7208, sections 4 and 5), and keeps why it ended as it did."""

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import ip_network
from typing import Any

from webapp.mail_check.answers import Address, Answer, LookupStatus
from webapp.mail_check.lookups import Lookups
from webapp.mail_check.spf_records import Mechanism, Qualifier, SpfInvalid, SpfTerm, parse_spf, select_spf_records

# Section 4.6.4: terms that cause queries, queries that find nothing, and mail servers of one `mx`.
MAX_LOOKUPS, MAX_VOID_LOOKUPS, MAX_EXCHANGERS = 10, 2, 10


class SpfOutcome(StrEnum):
    """The results of section 2.6."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    SOFTFAIL = "softfail"
    NEUTRAL = "neutral"
    NONE = "none"
    PERMERROR = "permerror"
    TEMPERROR = "temperror"


class SpfCause(StrEnum):
    """Why a record could not be evaluated."""

    SEVERAL = "several"
    INVALID = "invalid"
    LOOKUPS = "lookups"
    VOID_LOOKUPS = "void_lookups"
    EXCHANGERS = "exchangers"
    LOOP = "loop"
    NO_INCLUDED = "no_included"
    FAILED_LOOKUP = "failed_lookup"


@dataclass(frozen=True)
class SpfTrouble:
    """domain: where it happened. term: which term, or empty. reason: the rest of a sentence about it, or empty."""

    cause: SpfCause
    domain: str
    term: str = ""
    reason: str = ""
    status: LookupStatus = LookupStatus.FOUND


@dataclass(frozen=True)
class SpfResult:
    """What came of an evaluation.

    matched: the term that decided, or empty. lookups: how many terms caused queries. unevaluated: the terms before
    the one that decided that depend on the mail. is_certain: whether the outcome is the same whatever they match.
    """

    outcome: SpfOutcome
    matched: str = ""
    trouble: SpfTrouble | None = None
    lookups: int = 0
    unevaluated: tuple[str, ...] = ()
    is_certain: bool = True


_OUTCOMES = {
    Qualifier.PASS: SpfOutcome.PASS,
    Qualifier.FAIL: SpfOutcome.FAIL,
    Qualifier.SOFTFAIL: SpfOutcome.SOFTFAIL,
    Qualifier.NEUTRAL: SpfOutcome.NEUTRAL,
}


def evaluate_spf(lookups: Lookups, domain: str, address: Address | None) -> SpfResult:
    """Evaluate the SPF of a sender's domain. address: None for one that no term but `all` matches."""
    evaluation = _Evaluation(lookups, address)
    try:
        outcome, matched = evaluation.run(domain, ())
    except _Ended as ended:
        return SpfResult(ended.outcome, trouble=ended.trouble, lookups=evaluation.lookup_count)
    is_certain = not evaluation.unevaluated or (outcome is SpfOutcome.PASS and evaluation.only_passes)
    return SpfResult(
        outcome,
        matched,
        lookups=evaluation.lookup_count,
        unevaluated=tuple(evaluation.unevaluated),
        is_certain=is_certain,
    )


class _Ended(Exception):
    """The evaluation ends, wherever in an include it is."""

    def __init__(self, outcome: SpfOutcome, trouble: SpfTrouble) -> None:
        super().__init__(trouble.cause)
        self.outcome, self.trouble = outcome, trouble


def _permanent(cause: SpfCause, domain: str, term: str = "", reason: str = "") -> _Ended:
    return _Ended(SpfOutcome.PERMERROR, SpfTrouble(cause, domain, term, reason))


class _Evaluation:
    def __init__(self, lookups: Lookups, address: Address | None) -> None:
        self._lookups, self._address = lookups, address
        self._version = 4 if address is None else address.version
        self._void_count = 0
        self.lookup_count = 0
        self.unevaluated: list[str] = []
        self.only_passes = True

    def run(self, domain: str, path: tuple[str, ...], includes_pass: bool = True) -> tuple[SpfOutcome, str]:
        """Return the outcome for a domain, and the term that decided. path: the domains that led here.

        includes_pass: whether a match in here could only lead to a pass.
        """
        if domain in path:
            raise _permanent(SpfCause.LOOP, domain)
        text = self._find_record(domain)
        if text is None:
            return SpfOutcome.NONE, ""
        try:
            record = parse_spf(text)
        except SpfInvalid as reason:
            raise _permanent(SpfCause.INVALID, domain, reason.term, str(reason)) from None
        for term in record.terms:
            if self._matches(term, domain, (*path, domain), includes_pass):
                return _OUTCOMES[term.qualifier], term.text
        if record.redirect is not None and record.all_term is None:
            return self._follow(record.redirect, domain, (*path, domain), includes_pass)
        return SpfOutcome.NEUTRAL, ""

    def _follow(self, target: str, domain: str, path: tuple[str, ...], includes_pass: bool) -> tuple[SpfOutcome, str]:
        term = f"redirect={target}"
        self._count_lookup(domain, term)
        if "%" in target:
            self._skip(term, could_only_pass=False)
            return SpfOutcome.NEUTRAL, ""
        outcome, matched = self.run(target, path, includes_pass)
        if outcome is SpfOutcome.NONE:
            raise _permanent(SpfCause.NO_INCLUDED, target, term)
        return outcome, matched

    def _find_record(self, domain: str) -> str | None:
        answer = self._lookups.find_texts(domain)
        self._check(answer, domain, "")
        records = select_spf_records(answer.values)
        if len(records) > 1:
            raise _permanent(SpfCause.SEVERAL, domain)
        return records[0] if records else None

    def _matches(self, term: SpfTerm, domain: str, path: tuple[str, ...], includes_pass: bool) -> bool:
        mechanism = term.mechanism
        if mechanism is Mechanism.ALL:
            return True
        if term.network is not None:
            return self._address is not None and self._address in term.network
        self._count_lookup(domain, term.text)
        is_passing = includes_pass and term.qualifier is Qualifier.PASS
        if mechanism in (Mechanism.EXISTS, Mechanism.PTR) or term.has_macro:
            self._skip(term.text, could_only_pass=is_passing)
            return False
        target = term.domain or domain
        match mechanism:
            case Mechanism.INCLUDE:
                return self._matches_include(term, target, path, is_passing)
            case Mechanism.MX:
                return self._matches_exchangers(term, target, domain)
        return self._matches_host(term, target, domain)

    def _matches_include(self, term: SpfTerm, target: str, path: tuple[str, ...], is_passing: bool) -> bool:
        outcome, _ = self.run(target, path, is_passing)
        if outcome is SpfOutcome.NONE:
            raise _permanent(SpfCause.NO_INCLUDED, target, term.text)
        return outcome is SpfOutcome.PASS

    def _matches_exchangers(self, term: SpfTerm, target: str, domain: str) -> bool:
        answer = self._lookups.find_exchangers(target)
        self._count_void(answer, domain, term.text)
        if len(answer.values) > MAX_EXCHANGERS:
            raise _permanent(SpfCause.EXCHANGERS, domain, term.text)
        hosts = [exchanger.host for exchanger in answer.values if exchanger.host]
        return any(self._matches_host(term, host, domain) for host in hosts)

    def _matches_host(self, term: SpfTerm, host: str, domain: str) -> bool:
        answer = self._lookups.find_addresses(host, self._version)
        self._count_void(answer, domain, term.text)
        if self._address is None:
            return False
        prefix = term.prefixes[0 if self._version == 4 else 1]
        return any(self._address in ip_network((found, prefix), strict=False) for found in answer.values)

    def _skip(self, term: str, *, could_only_pass: bool) -> None:
        self.unevaluated.append(term)
        self.only_passes &= could_only_pass

    def _count_lookup(self, domain: str, term: str) -> None:
        self.lookup_count += 1
        if self.lookup_count > MAX_LOOKUPS:
            raise _permanent(SpfCause.LOOKUPS, domain, term)

    def _count_void(self, answer: Answer[Any], domain: str, term: str) -> None:
        self._check(answer, domain, term)
        if answer.status.is_void:
            self._void_count += 1
        if self._void_count > MAX_VOID_LOOKUPS:
            raise _permanent(SpfCause.VOID_LOOKUPS, domain, term)

    @staticmethod
    def _check(answer: Answer[Any], domain: str, term: str) -> None:
        if answer.status.is_failure:
            trouble = SpfTrouble(SpfCause.FAILED_LOOKUP, domain, term, status=answer.status)
            raise _Ended(SpfOutcome.TEMPERROR, trouble)
