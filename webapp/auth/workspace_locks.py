"""Lets one change of the list of workspaces, or of who supports all of them, wait for another."""

from sqlalchemy import text

from webapp.extensions import db


def lock_workspaces() -> None:
    """Let others wait who open or delete a workspace, or let somebody support all, until the transaction ends.

    Without it, a workspace and a supporter of every workspace that are added at once would not know of each other.
    Reads go on.
    """
    if db.engine.dialect.name == "postgresql":
        db.session.execute(text("LOCK TABLE used_slugs IN SHARE ROW EXCLUSIVE MODE"))
    else:  # SQLite has one writer
        db.session.execute(text("UPDATE used_slugs SET name = name WHERE slug = ''"))
