"""Explains why a receiver's certificate was refused, by OpenSSL's verify code and the certificates that it sends."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from webapp.failures import Cause, Code, DeliveryFailed, Facts
from webapp.outbound.transport.certificates import (
    UNREADABLE,
    SentCertificate,
    collect_facts,
    find_safe_name,
    read_certificate,
)

# OpenSSL's X509_V_ERR_* numbers (x509_vfy.h).
_CODES = {
    9: Code.TLS_NOT_YET_VALID,
    10: Code.TLS_EXPIRED,
    18: Code.TLS_SELF_SIGNED,
    62: Code.TLS_HOSTNAME_MISMATCH,
    64: Code.TLS_HOSTNAME_MISMATCH,  # for an IP address
}
_CAUSES = {
    4: Cause.BAD_SIGNATURE,
    6: Cause.BAD_SIGNATURE,
    7: Cause.BAD_SIGNATURE,
    23: Cause.REVOKED,
    24: Cause.NOT_PERMITTED,  # an authority's certificate that may not issue any, a chain that is too long, ...
    25: Cause.NOT_PERMITTED,
    26: Cause.WRONG_PURPOSE,
    32: Cause.NOT_PERMITTED,
    47: Cause.NOT_PERMITTED,  # name constraints
    48: Cause.NOT_PERMITTED,
    66: Cause.WEAK_CERTIFICATE,
    67: Cause.WEAK_CERTIFICATE,
    68: Cause.WEAK_CERTIFICATE,
    79: Cause.NOT_PERMITTED,
}
# The chain ends at an authority that is not trusted (19), or at one whose issuer was neither sent nor is trusted.
_UNTRUSTED = frozenset({2, 19, 20, 21})


def explain_certificate_error(verify_code: int, chain: Sequence[bytes], host: str, now: datetime) -> DeliveryFailed:
    """Return the failure for a refused certificate.

    chain: the certificates in DER that the receiver sends, its own first; empty if that is not known.
    """
    facts = Facts(host)
    sent: Sequence[SentCertificate] = ()
    try:
        sent = [read_certificate(der) for der in chain]
        facts = replace(facts, certificate=collect_facts(sent[0], host, now)) if sent else facts
    except UNREADABLE:
        sent = ()
    if verify_code in _UNTRUSTED:
        return _explain_untrusted(sent, facts)
    if verify_code in (9, 10):
        return _explain_dates(_CODES[verify_code], sent, facts, now)
    code = _CODES.get(verify_code, Code.TLS_UNTRUSTED)
    cause = None if verify_code in _CODES else _CAUSES.get(verify_code, Cause.UNVERIFIABLE)
    return DeliveryFailed(code, replace(facts, cause=cause))


def _explain_untrusted(sent: Sequence[SentCertificate], facts: Facts) -> DeliveryFailed:
    """Distinguish an untrusted authority from a chain that leads nowhere because a certificate was not sent."""
    if not sent:
        return DeliveryFailed(Code.TLS_UNTRUSTED, replace(facts, cause=Cause.NO_TRUSTED_CHAIN))
    last = _follow_issuers(sent)[-1]
    code = Code.TLS_UNTRUSTED if last.is_self_issued else Code.TLS_INCOMPLETE_CHAIN
    return DeliveryFailed(code, replace(facts, authority=find_safe_name(last.certificate.issuer)))


def _follow_issuers(sent: Sequence[SentCertificate]) -> Sequence[SentCertificate]:
    """Return the receiver's own certificate and those that it leads to, in whatever order they were sent."""
    own, *others = sent
    path = [own]
    while not path[-1].is_self_issued:
        issuers = [other for other in others if other.subject == path[-1].issuer]
        if not issuers:
            break
        # A root beside a cross-signed certificate of the same authority ends the chain.
        path.append(next((issuer for issuer in issuers if issuer.is_self_issued), issuers[0]))
        others.remove(path[-1])
    return path


def _explain_dates(code: Code, sent: Sequence[SentCertificate], facts: Facts, now: datetime) -> DeliveryFailed:
    """Say whether the receiver's own certificate is out of date, or another one in its chain."""
    expired = code is Code.TLS_EXPIRED
    if not sent:
        return DeliveryFailed(code, replace(facts, cause=Cause.CHAIN_EXPIRED if expired else Cause.CHAIN_NOT_YET_VALID))
    path = _follow_issuers(sent)
    outdated = [one for one in path if (now > one.not_after if expired else now < one.not_before)]
    if path[0] in outdated:
        return DeliveryFailed(code, facts)
    facts = replace(facts, cause=Cause.AUTHORITY_EXPIRED if expired else Cause.AUTHORITY_NOT_YET_VALID)
    if not outdated:  # not sent, but in the file of authorities
        return DeliveryFailed(code, facts)
    day = outdated[0].not_after if expired else outdated[0].not_before
    return DeliveryFailed(code, replace(facts, authority=find_safe_name(outdated[0].certificate.subject), on=day))
