"""The token in the path of a customer's link, of which a hash is stored, and the proofs of the link's page."""

import hashlib
from datetime import datetime

from itsdangerous import Signer

from webapp.app_state import current_settings
from webapp.auth import one_time_tokens
from webapp.receipt_links import PageProofs


def make_token() -> str:
    """Return a new token: random characters, a dot and their signature, which refuses a guess without a query."""
    return _signer().sign(one_time_tokens.make_token()).decode()


def is_ours(token: str) -> bool:
    """Check whether this installation made the token. The link may have ended, or never have been stored."""
    return token.isascii() and _signer().validate(token)


def hash_token(token: str) -> str:
    """Return what is stored of a token. A link is looked up by it, so no comparison reveals a part of the token."""
    return one_time_tokens.hash_token(token, "customer link")


def sign_page(link_id: int, made_at: datetime) -> str:
    """Return the proof that the page of a link was made at this time. Every form of the page contains it."""
    return _proofs().sign((link_id,), made_at)


def find_page_time(proof: str, link_id: int) -> datetime | None:
    """Return when the page of this link with this proof was made, or None if the proof is not one of its pages."""
    return _proofs().find_time(proof, (link_id,))


def _signer() -> Signer:
    key = current_settings().secret_key
    return Signer(key, salt="customer link", key_derivation="hmac", digest_method=hashlib.sha256)


def _proofs() -> PageProofs:
    return PageProofs(current_settings().secret_key, "customer page")
