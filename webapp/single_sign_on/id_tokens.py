"""Checks the provider's ID token: its signature, its recipient, its times, and that it belongs to this sign-in.

The rules are those of OpenID Connect Core 1.0, section 3.1.3.7. Authlib checks the claims, and joserfc, which Authlib
itself uses, the signature.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import (
    BadSignatureError,
    ClaimError,
    DecodeError,
    ExpiredTokenError,
    InvalidKeyIdError,
    JoseError,
    MissingAlgorithmError,
    UnsupportedAlgorithmError,
)
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from webapp.single_sign_on.metadata import ALGORITHMS
from webapp.single_sign_on.provider_client import MAX_RESPONSE
from webapp.single_sign_on.refusals import Refusal, SignOnRefused

# Seconds that the provider's clock and the database's may differ.
LEEWAY = 60

# Bytes. Some providers put their certificate into it.
_MAX_HEADER = 16 * 1024

MAX_SUBJECT_LENGTH = 255

_CLAIM_REFUSALS = {
    "iss": Refusal.OTHER_ISSUER,
    "aud": Refusal.AUDIENCE,
    "azp": Refusal.AUDIENCE,
    "nonce": Refusal.NONCE,
    "nbf": Refusal.NOT_YET_VALID,
    "iat": Refusal.NOT_YET_VALID,
}


class UnknownKey(Exception):
    """The token names a key that is not among these, so the provider may have new ones."""


def read_id_token(token: str, keys: KeySet) -> jwt.Token:
    """Check the signature of a token. Raises `UnknownKey` and `SignOnRefused`.

    Whatever the token says about where its key is (`jku`, `jwk`, `x5u`) counts for nothing.
    """
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = _MAX_HEADER
    registry.max_payload_length = MAX_RESPONSE  # or else somebody in 2,400 groups has a wrong signature
    try:
        return jwt.decode(token, keys, registry=registry)
    except InvalidKeyIdError:
        raise UnknownKey from None
    except (UnsupportedAlgorithmError, MissingAlgorithmError):
        raise SignOnRefused(Refusal.ALGORITHM) from None
    except DecodeError:
        raise SignOnRefused(Refusal.INCOMPLETE) from None
    except (BadSignatureError, JoseError, ValueError, TypeError):
        raise SignOnRefused(Refusal.SIGNATURE) from None


@dataclass(frozen=True)
class Expected:
    """What a token has to say. access_token: the one that came with it."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str = field(repr=False)


def check_claims(token: jwt.Token, expected: Expected, now: datetime) -> dict[str, Any]:
    """Check what a signed token says, and return its claims. Raises `SignOnRefused`."""
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
        "nonce": {"essential": True, "value": expected.nonce},
    }
    parameters = {"nonce": expected.nonce, "client_id": expected.client_id, "access_token": expected.access_token}
    claims = CodeIDToken(token.claims, token.header, options, parameters)
    try:
        claims.validate(now=int(now.timestamp()), leeway=LEEWAY)
    except ExpiredTokenError:
        raise SignOnRefused(Refusal.EXPIRED) from None
    except ClaimError as error:
        raise SignOnRefused(_CLAIM_REFUSALS.get(str(error.claim), Refusal.INCOMPLETE)) from None
    except (JoseError, ValueError, TypeError):
        raise SignOnRefused(Refusal.INCOMPLETE) from None
    if not _is_subject(claims["sub"]):
        raise SignOnRefused(Refusal.INCOMPLETE)
    return dict(claims)


def _is_subject(text: str) -> bool:
    """Return whether the database can tell this person from others: PostgreSQL takes no NUL, and no half of a pair."""
    return 0 < len(text) <= MAX_SUBJECT_LENGTH and text.isprintable()
