"""The list of members: its filter in a URL, and its order."""

import pytest
from flask import Flask

from tests.factories import NOW, SeededIds
from webapp.auth.accounts import add_account
from webapp.dashboard.member_list import MemberQuery, load_member_list, parse_member_query
from webapp.extensions import db
from webapp.models import Role, Workspace
from webapp.text.search_text import MAX_LENGTH
from webapp.workspaces.membership_changes import set_role


@pytest.mark.parametrize(
    ("given", "query"),
    [
        ({}, MemberQuery()),
        ({"role": "admin", "q": " Ann ", "page": "2"}, MemberQuery(Role.ADMIN, "Ann", 2)),
        ({"role": "owner", "q": "x" * 200, "page": "x"}, MemberQuery(None, "x" * MAX_LENGTH, 1)),
    ],
)
def test_an_unknown_value_counts_as_unset(given: dict[str, str], query: MemberQuery) -> None:
    assert parse_member_query(given) == query


def test_a_url_leaves_out_what_is_not_set() -> None:
    query = MemberQuery(Role.ADMIN, "", 3)

    assert query.as_query() == {"role": Role.ADMIN, "page": 3}
    assert query.as_query(role=None, q="Ann", page=None) == {"q": "Ann"}


@pytest.mark.usefixtures("context")
def test_admins_come_first_then_the_others_by_name_whatever_its_case(app: Flask, seeded: SeededIds) -> None:
    harbor = db.session.get_one(Workspace, seeded.harbor)
    for name, role in (("zoe", Role.ADMIN), ("Bo", Role.ADMIN), ("al", Role.VIEWER)):
        set_role(harbor, add_account(f"{name}@example.com", name, None, NOW), role)
    db.session.commit()

    listed = load_member_list(seeded.harbor, MemberQuery())

    names = [member.account.name for member, _ in listed.page.rows]
    assert names == ["Admin", "Bo", "zoe", "Support", "al", "Viewer"]
    assert listed.counts == {Role.ADMIN: 3, Role.SUPPORT: 1, Role.VIEWER: 2}
