"""How accounts sign in, for the pages that list them."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select

from webapp.app_state import current_settings
from webapp.auth.external_identities import list_linked
from webapp.extensions import db
from webapp.models import Account


class SignInMethod(StrEnum):
    """A way to sign in, in the words of the pages."""

    PASSWORD = "password"  # noqa: S105
    COMPANY_ACCOUNT = "company account"
    DEMO = "no password (demo)"


def find_sign_in_methods(account_ids: Sequence[int]) -> dict[int, list[SignInMethod]]:
    """Return how each of these accounts can sign in; an empty list if it cannot yet. At most two queries for all."""
    settings = current_settings()
    provider = settings.single_sign_on
    with_password = select(Account.id).where(Account.id.in_(account_ids), Account.password_hash.is_not(None))
    able = {
        SignInMethod.PASSWORD: set(db.session.scalars(with_password)) if settings.are_passwords_allowed else set(),
        SignInMethod.COMPANY_ACCOUNT: list_linked(account_ids, provider.issuer) if provider else frozenset(),
    }
    others = [SignInMethod.DEMO] if settings.demo else []
    return {
        account_id: [method for method, accounts in able.items() if account_id in accounts] or others
        for account_id in account_ids
    }
