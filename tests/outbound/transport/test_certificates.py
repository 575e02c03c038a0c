"""A stranger's certificate is reduced to safe text, canonical names and dates."""

import subprocess
import sys
import unicodedata
from contextlib import suppress
from datetime import UTC, datetime
from ipaddress import ip_address

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from tests.outbound.certificates import NAME, Issued, authority, issue
from webapp.failures import CertificateFacts
from webapp.outbound.transport.certificates import (
    MAX_NAME,
    UNREADABLE,
    collect_facts,
    find_safe_name,
    read_certificate,
    reduce_to_safe_text,
)

NOW = datetime.now(UTC)
DNS, IP = x509.DNSName, x509.IPAddress


def facts_of(issued: Issued, host: str = NAME) -> CertificateFacts:
    return collect_facts(read_certificate(issued.der), host, NOW)


def named(*names: x509.GeneralName) -> Issued:
    return issue("any", names=names)


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("Example Corp Root", "Example Corp Root"),
        ("  two\r\n lines\t", "two lines"),
        ("a\u202eb\u2066c\u200fd", "a b c d"),
        ("a\u200bb\ufeffc\u2060d\u00ad", "a b c d"),
        ("a\u115fb\u3164c\u034fd", "a b c d"),
        ("a\u2028b\u2029c\x00d\x1be\x7ff", "a b c d e f"),
        ("it is “over” \"now\" 'x' `y`", "it is over now x y"),
        ("<b>&{host}\\", "b host"),
        ("Müller & Söhne GmbH", "Müller Söhne GmbH"),
        ("日本認証局 (G2)", "日本認証局 (G2)"),
        ("\u05e8\u05d0\u05e9\u05d9 Root", "Root"),
        ("\U0001f512 Lock", "Lock"),
        ("z\u0335\u0321\u0321a", "z a"),
        ("\ud83dlone", "lone"),
        ("\u202e", ""),
    ],
)
def test_an_authoritys_name_is_reduced_to_safe_text(text: str, safe: str) -> None:
    assert reduce_to_safe_text(text) == safe


def test_a_long_name_is_cut() -> None:
    assert reduce_to_safe_text("a" * MAX_NAME) == "a" * MAX_NAME
    assert reduce_to_safe_text("a" * (MAX_NAME + 1)) == "a" * (MAX_NAME - 1) + "…"


@given(st.text())
def test_safe_text_is_bounded_and_printable_for_any_text(text: str) -> None:
    safe = reduce_to_safe_text(text)
    assert len(safe) <= MAX_NAME
    assert safe.isprintable()
    assert not set(safe) & set("\"'`“”<>&{}\\")
    directions = {unicodedata.bidirectional(character) for character in safe}
    assert not directions & {
        "R",
        "AL",
        "AN",
        "RLE",
        "RLO",
        "LRE",
        "LRO",
        "PDF",
        "RLI",
        "LRI",
        "FSI",
        "PDI",
        "NSM",
        "BN",
    }


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        ([("O", "Example Corp"), ("CN", "R11")], "R11"),
        ([("O", "Example Corp"), ("OU", "Certificates")], "Certificates"),
        ([("O", "Example Corp")], "Example Corp"),
        ([("CN", "\u202e"), ("O", "Example Corp")], "Example Corp"),
        ([("C", "DE")], None),
        ([], None),
    ],
)
def test_the_most_telling_safe_attribute_names_an_authority(
    attributes: list[tuple[str, str]], name: str | None
) -> None:
    oids = x509.oid.NameOID
    known = {"CN": oids.COMMON_NAME, "O": oids.ORGANIZATION_NAME, "OU": oids.ORGANIZATIONAL_UNIT_NAME}
    listed = [x509.NameAttribute(known.get(key, oids.COUNTRY_NAME), value) for key, value in attributes]
    assert find_safe_name(x509.Name(listed)) == name


def test_names_are_canonical_and_counted_once() -> None:
    facts = facts_of(named(DNS("Shop.Example."), DNS("shop.example"), DNS("*.Shop.Example"), DNS("c.example")))
    assert (facts.names, facts.more_names) == (("shop.example", "*.shop.example"), 2)


@pytest.mark.parametrize("odd", ["evil name", "a\u202eb.example", "<script>", "a" * 61 + ".example", "", "*.*.example"])
def test_a_name_that_cannot_be_shown_is_only_counted(odd: str) -> None:
    facts = facts_of(named(DNS._init_without_validation(odd) if not odd.isascii() else DNS(odd), DNS("b.example")))
    assert (facts.names, facts.more_names) == (("b.example",), 1)


def test_addresses_count_as_names() -> None:
    facts = facts_of(named(IP(ip_address("192.0.2.7")), IP(ip_address("2001:db8::1"))))
    assert (facts.names, facts.more_names) == (("192.0.2.7", "2001:db8::1"), 0)


@pytest.mark.parametrize(
    ("name", "host", "covered"),
    [
        (DNS("hooks.example.com"), "hooks.example.com", True),
        (DNS("*.example.com"), "hooks.example.com", True),
        (DNS("*.example.com"), "example.com", False),
        (DNS("*.example.com"), "a.hooks.example.com", False),
        (DNS("192.0.2.7"), "hooks.example.com", False),
        (IP(ip_address("192.0.2.7")), "192.0.2.7", True),
        (IP(ip_address("2001:db8::1")), "2001:db8::1", True),
        (IP(ip_address("2001:db8::2")), "2001:db8::1", False),
        (DNS("example.com"), "2001:db8::1", False),
    ],
)
def test_whether_a_certificate_is_for_the_host_is_known(name: x509.GeneralName, host: str, covered: bool) -> None:
    assert facts_of(named(name), host).is_for_host is covered


def test_a_certificate_without_names_has_none() -> None:
    facts = facts_of(issue(NAME, names=[]))
    assert (facts.names, facts.more_names, facts.is_for_host) == ((), 0, False)


DER = issue(NAME, authority("Root"), serial_number=2**158 + 4711).der


@given(st.integers(0, len(DER) - 1), st.binary(min_size=1, max_size=4))
def test_a_damaged_certificate_is_read_or_refused_as_unreadable(position: int, damage: bytes) -> None:
    damaged = DER[:position] + damage + DER[position + len(damage) :]
    with suppress(*UNREADABLE):
        sent = read_certificate(damaged)
        find_safe_name(sent.certificate.subject)
        collect_facts(sent, NAME, NOW)


def test_an_odd_certificate_prints_no_warning_into_the_log() -> None:
    serial = DER.index(b"\x02\x14") + 2  # an INTEGER of 20 bytes
    negative = DER[:serial] + bytes([DER[serial] | 0x80]) + DER[serial + 1 :]
    code = (
        "import sys; from webapp.outbound.transport.certificates import read_certificate; "
        "read_certificate(bytes.fromhex(sys.argv[1])); print('read')"
    )
    ran = subprocess.run([sys.executable, "-c", code, negative.hex()], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("read\n", "")
