"""What the tests of the commands share: passwords to type, and who is a member."""

from collections.abc import Callable

from click.testing import Result
from flask import Flask
from sqlalchemy import select

from webapp.extensions import db
from webapp.models import Account, Member, Workspace

PASSWORD = "correct horse battery"
TWICE = f"{PASSWORD}\n{PASSWORD}\n"

Run = Callable[..., Result]


def read_roles(app: Flask, email: str) -> dict[str, str]:
    """Read in which workspaces an account has which role."""
    query = select(Workspace.slug, Member.role).join(Member.workspace).join(Member.account)
    with app.app_context():
        return {slug: role.value for slug, role in db.session.execute(query.where(Account.email == email))}
