"""A PostgreSQL role of its own for some processes of a test, so that their connections can be limited or closed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import make_url

from benchmarks.installation.servers import execute


@dataclass(frozen=True)
class DatabaseRole:
    """url: the database's address for this role. admin_url: that of the superuser."""

    name: str
    url: str
    admin_url: str

    def alter(self, change: str) -> None:
        """Change the role, such as `CONNECTION LIMIT 0`, and close its connections, so that the change counts."""
        execute(
            self.admin_url,
            f"ALTER ROLE {self.name} {change}",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{self.name}'",
        )


@contextmanager
def database_role(admin_url: str) -> Iterator[DatabaseRole]:
    """Provide a role that may read and write all tables of a database."""
    name = f"role_{os.urandom(4).hex()}"
    url = make_url(admin_url).set(username=name, password="secret").render_as_string(hide_password=False)
    execute(
        admin_url,
        f"CREATE ROLE {name} LOGIN PASSWORD 'secret'",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}",
    )
    role = DatabaseRole(name, url, admin_url)
    try:
        yield role
    finally:
        role.alter("NOLOGIN")
        execute(admin_url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")
