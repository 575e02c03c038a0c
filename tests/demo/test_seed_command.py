"""The command that adds the demo's data, on a database that is not migrated."""

from pathlib import Path

from webapp.application import create_app
from webapp.database.reasons import Reason
from webapp.settings import read_settings


def test_without_a_schema_the_command_explains_what_to_do(environment: dict[str, str], tmp_path: Path) -> None:
    demo = {
        "ALERTCHECK_DEMO": "1",
        "ALERTCHECK_DEMO_INBOX": str(tmp_path / "inbox.sqlite"),
        "ALERTCHECK_DEMO_RECEIVER_HTTP": "http://127.0.0.1:1",
        "ALERTCHECK_DEMO_RECEIVER_SMTP": "smtp://127.0.0.1:1",
        "DATABASE_URL": f"sqlite:///{tmp_path}/empty.sqlite",
    }

    result = create_app(read_settings(environment | demo)).test_cli_runner().invoke(args=["seed-demo"])

    assert (result.exit_code, result.output) == (1, f"Error: {Reason.NOT_MIGRATED.sentence}\n")
