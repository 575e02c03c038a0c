"""Each refused certificate has its true cause, and following the next step ends in an accepted message."""

import ssl
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from benchmarks.installation.scripted_server import listening
from tests.outbound.certificates import DAY, FOR_CLIENTS, NAME, Issued, authority, issue, serving, write_pem
from tests.outbound.outcome_of import PATIENT, outcome_of, send, trusting
from tests.outbound.scripts import script_of
from webapp.failures import Cause, Code, DeliveryFailed
from webapp.failures.certificate import format_date
from webapp.outbound.transport.certificate_errors import explain_certificate_error

pytestmark = pytest.mark.slow

RESPONSE = script_of("plain", {"status": 200, "body": "ok"})
PAST = (-9 * DAY, -2 * DAY)
FUTURE = (2 * DAY, 30 * DAY)
NOW = datetime.now(UTC)

ROOT = authority("Example Corp Root")
ISSUING = authority("Example Corp Issuing CA", ROOT)
BELOW = authority("Example Corp CA 2", ISSUING)
STRANGE = authority("Strange Root")
EXPIRED_CA = authority("Example Corp Old CA", ROOT, valid=PAST)
FUTURE_CA = authority("Example Corp New CA", ROOT, valid=FUTURE)
LEAF = issue("leaf", ISSUING)
LOWEST = issue("lowest", BELOW)
SELF_SIGNED = issue("Appliance")
# The same authority as ROOT by name and key, once more signed by another root that nobody trusts.
CROSS = issue("Example Corp Root", STRANGE, is_authority=True, key=ROOT.key)


def failure_of(context: ssl.SSLContext, ca_file: str | None, host: str = NAME) -> DeliveryFailed:
    """Return the failure of a send to a receiver with this context, which gets no request."""
    with listening(RESPONSE, context) as receiver:
        url = f"https://{host}:{receiver.port}/hook"
        with pytest.raises(DeliveryFailed) as caught:
            send(url, policy=trusting(url, ca_file), limits=PATIENT)
    assert b"".join(receiver.heads) == b""
    return caught.value


@pytest.fixture
def root_file(tmp_path: Path) -> str:
    return write_pem(tmp_path, ROOT)


@pytest.mark.parametrize(
    ("sent", "code", "authority_name"),
    [
        ((SELF_SIGNED,), Code.TLS_SELF_SIGNED, None),
        ((issue("s", STRANGE), STRANGE), Code.TLS_UNTRUSTED, "Strange Root"),
        ((issue("s", STRANGE),), Code.TLS_INCOMPLETE_CHAIN, "Strange Root"),
        ((LEAF,), Code.TLS_INCOMPLETE_CHAIN, "Example Corp Issuing CA"),
        ((LOWEST, BELOW), Code.TLS_INCOMPLETE_CHAIN, "Example Corp Issuing CA"),
        ((LOWEST, ISSUING), Code.TLS_INCOMPLETE_CHAIN, "Example Corp CA 2"),
        ((LEAF, STRANGE), Code.TLS_INCOMPLETE_CHAIN, "Example Corp Issuing CA"),
        ((LEAF, ROOT), Code.TLS_INCOMPLETE_CHAIN, "Example Corp Issuing CA"),
        ((LEAF, SELF_SIGNED, LEAF), Code.TLS_INCOMPLETE_CHAIN, "Example Corp Issuing CA"),
    ],
    ids=[
        *("self_signed", "unknown_root_sent", "unknown_root_not_sent", "only_the_leaf", "second_is_missing"),
        *("gap", "strange_root_beside_it", "root_without_intermediate", "unrelated_and_twice"),
    ],
)
def test_what_is_missing_is_told_from_what_is_not_trusted(
    sent: tuple[Issued, ...], code: Code, authority_name: str | None, root_file: str
) -> None:
    failure = failure_of(serving(*sent), root_file)
    assert (failure.code, failure.facts.authority, failure.facts.cause) == (code, authority_name, None)


def test_a_whole_chain_of_an_authority_that_nobody_trusts_is_untrusted_in_any_order(tmp_path: Path) -> None:
    strange_file = write_pem(tmp_path, STRANGE)
    failures = [
        failure_of(serving(LOWEST, *rest), strange_file) for rest in ((BELOW, ISSUING, ROOT), (ROOT, BELOW, ISSUING))
    ]
    assert [(one.code, one.facts.authority) for one in failures] == [(Code.TLS_UNTRUSTED, "Example Corp Root")] * 2


def test_a_cross_signed_chain_without_the_other_root_names_that_root(tmp_path: Path) -> None:
    failure = failure_of(serving(LEAF, ISSUING, CROSS), write_pem(tmp_path, SELF_SIGNED))
    assert (failure.code, failure.facts.authority) == (Code.TLS_INCOMPLETE_CHAIN, "Strange Root")


@pytest.mark.parametrize("rest", [(CROSS, ROOT), (ROOT, CROSS)], ids=["cross_first", "root_first"])
def test_a_cross_signed_chain_that_includes_its_own_root_is_untrusted(rest: tuple[Issued, ...], tmp_path: Path) -> None:
    sent = [one.der for one in (LEAF, ISSUING, *rest)]
    failure = explain_certificate_error(20, sent, NAME, NOW)
    assert (failure.code, failure.facts.authority) == (Code.TLS_UNTRUSTED, "Example Corp Root")


@pytest.mark.parametrize(
    ("sent", "trusted"),
    [
        ((SELF_SIGNED,), SELF_SIGNED),
        ((LEAF, ISSUING), ROOT),
        ((LEAF, ISSUING, ROOT), ROOT),
        ((LEAF,), ISSUING),
        ((LEAF, ISSUING), ISSUING),
        ((LEAF,), LEAF),
        ((LOWEST, ISSUING, BELOW), ROOT),
        ((LEAF, ISSUING, CROSS), ROOT),
        ((LEAF, ISSUING, CROSS), STRANGE),
        ((issue("s", STRANGE),), STRANGE),
    ],
    ids=[
        *("self_signed", "whole_chain", "root_included", "only_the_leaf_and_intermediate", "intermediate", "the_leaf"),
        *("wrong_order", "cross_signed_to_ours", "cross_signed_to_theirs", "unknown_authority"),
    ],
)
def test_a_message_is_accepted_once_the_file_of_authorities_has_what_the_next_step_names(
    sent: tuple[Issued, ...], trusted: Issued, tmp_path: Path
) -> None:
    with listening(RESPONSE, serving(*sent)) as receiver:
        url = f"https://{NAME}:{receiver.port}/hook"
        assert outcome_of(url, policy=trusting(url, write_pem(tmp_path, trusted)), limits=PATIENT) == "ok"


@pytest.mark.parametrize(
    ("sent", "code", "cause", "authority_name"),
    [
        ((issue("l", ISSUING, valid=PAST), ISSUING), Code.TLS_EXPIRED, None, None),
        ((issue("l", EXPIRED_CA), EXPIRED_CA), Code.TLS_EXPIRED, Cause.AUTHORITY_EXPIRED, "Example Corp Old CA"),
        ((issue("l", ISSUING, valid=FUTURE), ISSUING), Code.TLS_NOT_YET_VALID, None, None),
        (
            (issue("l", FUTURE_CA), FUTURE_CA),
            Code.TLS_NOT_YET_VALID,
            Cause.AUTHORITY_NOT_YET_VALID,
            "Example Corp New CA",
        ),
    ],
    ids=["expired", "expired_intermediate", "future", "future_intermediate"],
)
def test_which_certificate_is_out_of_date_is_said(
    sent: tuple[Issued, ...], code: Code, cause: Cause | None, authority_name: str | None, root_file: str
) -> None:
    failure = failure_of(serving(*sent), root_file)
    assert (failure.code, failure.facts.cause, failure.facts.authority) == (code, cause, authority_name)


def test_an_expired_authority_in_the_administrators_file_is_not_blamed_on_the_receiver(tmp_path: Path) -> None:
    old = authority("Example Corp Old Root", valid=PAST)
    failure = failure_of(serving(issue("l", old)), write_pem(tmp_path, old))
    assert (failure.code, failure.facts.cause) == (Code.TLS_EXPIRED, Cause.AUTHORITY_EXPIRED)
    assert (
        failure.message == f"{NAME} has a certificate that depends on the certificate of an authority, which expired."
    )


def test_the_day_of_an_expired_intermediate_is_shown(root_file: str) -> None:
    failure = failure_of(serving(issue("l", EXPIRED_CA), EXPIRED_CA), root_file)
    assert failure.message == (
        f"{NAME} has a certificate that depends on the certificate of an authority (“Example Corp Old CA”), "
        f"which expired on {format_date(NOW - 2 * DAY)}."
    )


def test_an_expired_certificate_beside_the_chain_is_not_blamed(root_file: str) -> None:
    sent = [one.der for one in (issue("l", FUTURE_CA), EXPIRED_CA, FUTURE_CA)]
    assert explain_certificate_error(10, sent, NAME, NOW).facts.authority is None


@pytest.mark.parametrize(
    ("names", "host", "shown"),
    [
        ([x509.DNSName("shop.example")], NAME, "shop.example"),
        ([x509.DNSName(f"{letter}.example") for letter in "abcd"], NAME, "a.example, b.example and 2 more names"),
        ([x509.IPAddress(ip_address("127.0.0.1"))], NAME, "127.0.0.1"),
        ([x509.DNSName(NAME)], "127.0.0.1", NAME),
        ([], NAME, "no host name (a common name does not count)"),
    ],
    ids=["one", "many", "address", "name_for_an_address", "none"],
)
def test_a_wrong_name_shows_the_names_that_the_certificate_was_issued_for(
    names: list[x509.GeneralName], host: str, shown: str, root_file: str
) -> None:
    failure = failure_of(serving(issue(NAME, ROOT, names=names)), root_file, host)
    assert failure.code is Code.TLS_HOSTNAME_MISMATCH
    assert failure.message == (
        f"{host} has a certificate that was not issued for this name. The certificate was issued by "
        f"“Example Corp Root” for {shown}, and expires on {format_date(NOW + 30 * DAY)}."
    )


def test_a_certificate_for_the_address_is_accepted(root_file: str) -> None:
    certificate = issue("l", ROOT, names=[x509.IPAddress(ip_address("127.0.0.1"))])
    with listening(RESPONSE, serving(certificate)) as receiver:
        url = f"https://127.0.0.1:{receiver.port}/hook"
        assert outcome_of(url, policy=trusting(url, root_file), limits=PATIENT) == "ok"


def test_a_default_certificate_shows_that_it_is_for_another_host_and_expired(root_file: str) -> None:
    default = issue("TRAEFIK DEFAULT CERT", names=[x509.DNSName("x.traefik.default")], valid=PAST)
    assert failure_of(serving(default), root_file).message == (
        f"{NAME} has a self-signed certificate. The certificate was issued by “TRAEFIK DEFAULT CERT” for "
        f"x.traefik.default, not for this host, and expired on {format_date(NOW - 2 * DAY)}."
    )


def test_an_issuer_cannot_break_out_of_its_quotation_marks(root_file: str) -> None:
    hostile = issue("R\u202e” for you.\r\nAll is well. \u200b“<b>")
    assert "issued by “R for you. All is well. b” for" in failure_of(serving(hostile), root_file).message


def test_a_certificate_for_clients_has_the_wrong_purpose(root_file: str) -> None:
    failure = failure_of(serving(issue("l", ROOT, purpose=FOR_CLIENTS)), root_file)
    assert (failure.code, failure.facts.cause) == (Code.TLS_UNTRUSTED, Cause.WRONG_PURPOSE)


def test_an_authority_that_is_none_was_not_permitted_to_issue(root_file: str) -> None:
    failure = failure_of(serving(issue("l", LEAF), LEAF, ISSUING), root_file)
    assert (failure.code, failure.facts.cause) == (Code.TLS_UNTRUSTED, Cause.NOT_PERMITTED)


def test_a_signature_by_another_key_is_invalid(root_file: str) -> None:
    forger = authority("Example Corp Root")
    failure = failure_of(serving(issue("l", forger)), root_file)
    assert (failure.code, failure.facts.cause) == (Code.TLS_UNTRUSTED, Cause.BAD_SIGNATURE)


def test_an_authority_with_a_short_key_is_weak(tmp_path: Path) -> None:
    weak = authority_with_short_key()
    failure = failure_of(serving(issue("l", weak), weak), write_pem(tmp_path, weak))
    assert (failure.code, failure.facts.cause) == (Code.TLS_UNTRUSTED, Cause.WEAK_CERTIFICATE)


def authority_with_short_key() -> Issued:
    short = rsa.generate_private_key(65537, 1024)
    return issue("Weak Root", is_authority=True, key=short)


@pytest.mark.parametrize(
    ("verify_code", "code", "cause"),
    [
        (2, Code.TLS_UNTRUSTED, Cause.NO_TRUSTED_CHAIN),
        (9, Code.TLS_NOT_YET_VALID, Cause.CHAIN_NOT_YET_VALID),
        (10, Code.TLS_EXPIRED, Cause.CHAIN_EXPIRED),
        (18, Code.TLS_SELF_SIGNED, None),
        (19, Code.TLS_UNTRUSTED, Cause.NO_TRUSTED_CHAIN),
        (20, Code.TLS_UNTRUSTED, Cause.NO_TRUSTED_CHAIN),
        (21, Code.TLS_UNTRUSTED, Cause.NO_TRUSTED_CHAIN),
        (23, Code.TLS_UNTRUSTED, Cause.REVOKED),
        (62, Code.TLS_HOSTNAME_MISMATCH, None),
        (64, Code.TLS_HOSTNAME_MISMATCH, None),
        (66, Code.TLS_UNTRUSTED, Cause.WEAK_CERTIFICATE),
        (67, Code.TLS_UNTRUSTED, Cause.WEAK_CERTIFICATE),
        (68, Code.TLS_UNTRUSTED, Cause.WEAK_CERTIFICATE),
        (999, Code.TLS_UNTRUSTED, Cause.UNVERIFIABLE),
    ],
)
@pytest.mark.parametrize("chain", [(), (b"no certificate",)], ids=["unknown", "unreadable"])
def test_without_the_certificates_the_first_answer_stands(
    verify_code: int, code: Code, cause: Cause | None, chain: tuple[bytes, ...]
) -> None:
    failure = explain_certificate_error(verify_code, chain, NAME, NOW)
    assert (failure.code, failure.facts.cause, failure.facts.certificate) == (code, cause, None)
