"""What strangers write into the DNS: it is read or refused, quickly, and never raises anything else."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from webapp.mail_check.answers import MAX_QUOTED, quote_record
from webapp.mail_check.dmarc import DmarcInvalid, DmarcRecord, list_walk, parse_dmarc
from webapp.mail_check.spf_records import MAX_LENGTH, SpfInvalid, SpfRecord, find_lookalike, parse_spf

BYTES = st.characters(max_codepoint=255)
SPF_WORDS = st.lists(
    st.one_of(
        st.text(BYTES, max_size=12),
        st.sampled_from(
            ["a", "mx/24//64", "-all", "ip4:", "ip6:::/0", "include:%{d}.x.y", "redirect=a.b", "exp=", "ptr:"]
        ),
    ),
    max_size=8,
)
DMARC_PARTS = st.lists(
    st.one_of(
        st.text(BYTES, max_size=12), st.sampled_from(["p=none", "p = reject", "sp=", "pct=7", "rua=x", "=", "t=y"])
    ),
    max_size=6,
)


def _read(parse: Callable[[str], Any], text: str) -> Any:
    """Return what is read, or why nothing is."""
    try:
        return parse(text)
    except (SpfInvalid, DmarcInvalid) as reason:
        return reason


@given(SPF_WORDS)
def test_any_spf_record_is_read_or_refused_with_a_reason(words: list[str]) -> None:
    found = _read(parse_spf, " ".join(["v=spf1", *words]))

    assert isinstance(found, SpfRecord) or (str(found) and found.term.isprintable())


@given(DMARC_PARTS)
def test_any_dmarc_record_is_read_or_refused_with_a_reason(parts: list[str]) -> None:
    found = _read(parse_dmarc, "; ".join(["v=DMARC1", *parts]))

    assert isinstance(found, DmarcRecord) or str(found).isprintable()


@given(st.text(max_size=400))
def test_a_quoted_record_is_short_plain_text(text: str) -> None:
    quoted = quote_record(text)

    assert len(quoted) <= MAX_QUOTED + 3
    assert quoted.isascii()
    assert quoted.isprintable()


@pytest.mark.parametrize("text", [" " * 60_000 + "x", "v=" + " " * 60_000, '"' * 60_000, "v=spf1 " + "a" * 60_000])
def test_a_huge_text_costs_little_time(text: str) -> None:
    began = perf_counter()
    find_lookalike([text] * 100)
    for parse in (parse_spf, parse_dmarc):
        with pytest.raises((SpfInvalid, DmarcInvalid)):
            parse(text)

    assert perf_counter() - began < 1


def test_a_record_may_be_long_but_not_longer() -> None:
    ending = " -all"
    longest = "v=spf1" + " " * (MAX_LENGTH - 6 - len(ending)) + ending

    assert len(parse_spf(longest).terms) == 1
    with pytest.raises(SpfInvalid, match="more than 4096 characters"):
        parse_spf(f"{longest} ")


def test_the_walk_up_the_tree_is_short() -> None:
    assert list_walk("a.example.com") == ["a.example.com", "example.com", "com"]
    assert list_walk(".".join("abcdefghijkl")) == [
        *("a.b.c.d.e.f.g.h.i.j.k.l", "f.g.h.i.j.k.l", "g.h.i.j.k.l", "h.i.j.k.l", "i.j.k.l", "j.k.l", "k.l", "l")
    ]
