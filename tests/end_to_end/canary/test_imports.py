"""An import leaks no secret: of a file that is added, completed wrongly, unreadable, or met by an exception."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from tests.end_to_end.canary.canaries import Canaries
from tests.factories import SeededIds
from tests.visitor import Visitor
from webapp.destinations.drafts import LIFETIME
from webapp.extensions import db
from webapp.models import AlertDestination, FormDraft

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("context")]

IMPORT = "/w/harbor/import"
HOSTS = ("hooks.example.com", "10.0.0.8", "hooks.slack.com")


@pytest.fixture
def admin(app: Flask, seeded: SeededIds) -> Visitor:
    return Visitor.signed_in(app, seeded.admin)


def write_file(canaries: Canaries) -> str:
    """Write a file in which everything that may be a secret is a canary, valid or not."""
    secret = canaries.secrets.make_canary
    configs = [f"      - url: https://{host}/services/{secret()}?sig={secret()}" for host in HOSTS]
    configs += [
        f"      - url: https://{secret()}:{secret()}@hooks.example.com/{secret()}",
        f"      - url: '{secret()}'",
        "      - url: https://hooks.example.com/second\n        http_config:\n"
        f"          authorization: {{credentials: {secret()}}}",
        f"      - url_file: /etc/{secret()}",
    ]
    return (
        f"global:\n  slack_api_url: https://hooks.slack.com/services/{secret()}\n  smtp_auth_password: {secret()}\n"
        "receivers:\n  - name: ops\n    webhook_configs:\n" + "\n".join(configs) + "\n"
        f"    slack_configs:\n      - title: a title\n        http_config: {{bearer_token: {secret()}}}\n"
        f"    pagerduty_configs:\n      - service_key: {secret()}\n"
        f"    carrier_pigeon_configs:\n      - ring: {secret()}\n"
    )


def test_an_import_leaks_no_secret(
    app: Flask, admin: Visitor, canaries: Canaries, search: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write_file(canaries)
    shown = [admin.post(IMPORT, {"text": file})]
    rows = str(shown[0].location)
    secret = canaries.secrets.make_canary()
    wrong = {"row": "0", **{f"{row}-address": f"http://hooks.example.com/{secret}" for row in range(12)}}
    shown += [admin.get(rows), admin.post(rows, wrong), admin.get(rows)]
    shown += [admin.post(IMPORT, {"text": f"{file}{mistake}"}) for mistake in ("x: [", f'x: "{secret}', "\x00", "\x01")]
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    with monkeypatch.context() as broken:
        broken.setattr("webapp.imports.adding.record_workspace_event", _fail)
        shown.append(admin.post(rows, {"row": "0"}))
    shown.append(admin.post(rows, {"row": "0"}))

    assert [page.status_code for page in shown] == [303, 200, 400, 200, 400, 400, 400, 400, 500, 303]
    assert canaries.secrets.find_in("".join(f"{page.headers}{page.text}" for page in shown).encode()) == []
    assert _count_added() == 1
    assert search() == []


def _fail(*_arguments: object) -> None:
    raise RuntimeError("broken")


def _count_added() -> int:
    return (db.session.scalar(select(func.count()).select_from(AlertDestination)) or 0) - 2


def test_a_file_that_nobody_imports_leaks_no_secret(
    admin: Visitor, canaries: Canaries, search: Callable[[], list[str]]
) -> None:
    assert admin.post(IMPORT, {"text": write_file(canaries)}).status_code == 303
    db.session.execute(update(FormDraft).values(created_at=datetime.now(UTC) - LIFETIME))
    db.session.commit()

    assert search() == []


def test_the_commands_leak_no_secret(
    app: Flask,
    seeded: SeededIds,
    canaries: Canaries,
    search: Callable[[], list[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = Path(tmp_path_factory.mktemp("elsewhere")) / "alertmanager.yml"
    file.write_text(write_file(canaries), "utf-8")
    runner = app.test_cli_runner()
    commands = [("import", str(file), "--workspace", "harbor", *more) for more in ((), ("--dry-run",))]
    results = [runner.invoke(args=words) for words in (*commands, ("export", "--workspace", "harbor"))]

    assert [result.exit_code for result in results] == [1, 1, 0]
    assert canaries.secrets.find_in("".join(result.output for result in results).encode()) == []
    assert _count_added() > 1
    assert search() == []
