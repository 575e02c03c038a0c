"""The command that adds the demo's data, on a database that is not migrated."""

from pathlib import Path

from webapp.application import create_app
from webapp.database.revision import list_known_revisions
from webapp.settings import read_settings


def test_the_command_migrates_an_empty_database_first(environment: dict[str, str], tmp_path: Path) -> None:
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
        "ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite",
    }

    result = create_app(read_settings(environment | demo)).test_cli_runner().invoke(args=["seed-demo"])

    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "workspaces added")
    assert f"The database has revision {list_known_revisions().needed}" in result.output
