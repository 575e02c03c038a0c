"""How accounts sign in, for the pages that list them."""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import select

from webapp.app_state import current_settings
from webapp.extensions import db
from webapp.models import Account


class SignInMethod(StrEnum):
    """A way to sign in, in the words of the pages."""

    PASSWORD = "password"  # noqa: S105
    COMPANY_ACCOUNT = "company account"
    DEMO = "no password (demo)"


def find_sign_in_methods(account_ids: Sequence[int]) -> dict[int, list[SignInMethod]]:
    """Return how each of these accounts can sign in; an empty list if it cannot yet. One query for all."""
    with_password = select(Account.id).where(Account.id.in_(account_ids), Account.password_hash.is_not(None))
    have_password = set(db.session.scalars(with_password))
    others = [SignInMethod.DEMO] if current_settings().demo else []
    return {
        account_id: [SignInMethod.PASSWORD] if account_id in have_password else others for account_id in account_ids
    }
