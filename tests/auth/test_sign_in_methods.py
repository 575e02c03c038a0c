"""How accounts sign in."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

from tests.factories import CHEAP_HASH, SeededIds
from webapp.auth.sign_in_methods import SignInMethod, find_sign_in_methods
from webapp.extensions import db
from webapp.models import Account


@pytest.mark.usefixtures("context")
def test_all_accounts_are_looked_up_with_one_query(
    seeded: SeededIds, count_queries: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    db.session.get_one(Account, seeded.admin).password_hash = CHEAP_HASH
    db.session.commit()

    with count_queries() as statements:
        methods = find_sign_in_methods([seeded.admin, seeded.viewer])

    assert methods == {seeded.admin: [SignInMethod.PASSWORD], seeded.viewer: []}
    assert len(statements) == 1
