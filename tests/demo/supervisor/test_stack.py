"""The environment of the demo's processes."""

from pathlib import Path

import pytest

from webapp.demo.supervisor.options import CannotRun, DemoOptions
from webapp.demo.supervisor.ports import ReceiverPorts
from webapp.demo.supervisor.shutdown_request import ShutdownRequest
from webapp.demo.supervisor.stack import Stack


def test_a_message_links_to_the_pages_of_its_own_demo(tmp_path: Path) -> None:
    environment = Stack(DemoOptions(8123, tmp_path), ShutdownRequest()).environment

    assert environment["ALERTCHECK_PUBLIC_URL"] == "http://127.0.0.1:8123"


def test_an_old_setting_name_is_reported_and_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "a token of the administrator")

    environment = Stack(DemoOptions(8123, tmp_path), ShutdownRequest()).environment

    assert environment["ALERTCHECK_METRICS_TOKEN"] == "a token of the administrator"
    assert "METRICS_TOKEN" not in environment
    assert "METRICS_TOKEN is an old name. Rename it to ALERTCHECK_METRICS_TOKEN." in capsys.readouterr().out


def test_an_old_setting_name_that_contradicts_the_new_one_stops_the_demo(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("METRICS_TOKEN", "a token of the administrator")
    monkeypatch.setenv("ALERTCHECK_METRICS_TOKEN", "another token")

    with pytest.raises(CannotRun, match="METRICS_TOKEN and ALERTCHECK_METRICS_TOKEN are set to different values"):
        Stack(DemoOptions(8123, tmp_path), ShutdownRequest())


def _use_receiver(tmp_path: Path) -> dict[str, str]:
    stack = Stack(DemoOptions(8123, tmp_path), ShutdownRequest())
    stack._use_receiver("http://127.0.0.1:4001", "smtp://127.0.0.1:4002")
    return stack.environment


def test_the_demos_own_receiver_gets_all_messages(tmp_path: Path) -> None:
    environment = _use_receiver(tmp_path)

    assert environment["ALERTCHECK_DEMO_RECEIVER_HTTP"] == environment["ALERTCHECK_TRUSTED_ORIGINS"]
    assert environment["ALERTCHECK_DEMO_RECEIVER_SMTP"] == environment["ALERTCHECK_MAIL_URL"]
    assert environment["ALERTCHECK_MAIL_FROM"] == "alertcheck@demo.invalid"


def test_receivers_of_ones_own_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTCHECK_MAIL_URL", "smtp://mail.example.com")
    monkeypatch.setenv("ALERTCHECK_MAIL_FROM", "alerts@example.com")
    monkeypatch.setenv("ALERTCHECK_TRUSTED_ORIGINS", "http://receiver.lan:8080")

    environment = _use_receiver(tmp_path)

    assert environment["ALERTCHECK_DEMO_RECEIVER_SMTP"] == "smtp://127.0.0.1:4002"
    assert environment["ALERTCHECK_MAIL_URL"] == "smtp://mail.example.com"
    assert environment["ALERTCHECK_MAIL_FROM"] == "alerts@example.com"
    assert environment["ALERTCHECK_TRUSTED_ORIGINS"] == "http://receiver.lan:8080,http://127.0.0.1:4001"


def test_the_receivers_own_authority_is_trusted_beside_those_of_real_receivers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "company.pem").write_text("company")
    monkeypatch.setenv("ALERTCHECK_CA_FILE", str(tmp_path / "company.pem"))
    (tmp_path / "certificates").mkdir()
    (tmp_path / "certificates" / "authority.pem").write_text("demo\n")

    stack = Stack(DemoOptions(8123, tmp_path), ShutdownRequest())
    stack._use_names("https://127.0.0.1:4003")

    assert stack.environment["ALERTCHECK_DEMO_RECEIVER_HTTPS"] == "https://127.0.0.1:4003"
    assert Path(stack.environment["ALERTCHECK_DEMO_CA_FILE"]).read_text() == "demo\ncompany"
    assert stack.environment["ALERTCHECK_CA_FILE"] == str(tmp_path / "company.pem")


def test_a_failed_start_leaves_no_settings_of_the_previous_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    (tmp_path / "env").write_text("SECRET_KEY=stale\n")
    (tmp_path / "webhook-secret").mkdir()  # prevents the start from writing this file

    with pytest.raises(OSError, match="webhook-secret"):
        Stack(DemoOptions(8123, tmp_path), ShutdownRequest()).start()

    assert not (tmp_path / "env").exists()


PUBLIC = DemoOptions(8123, Path("/nowhere"), "https://demo.example.com")


def test_the_links_of_a_public_demo_lead_through_its_proxy() -> None:
    environment = Stack(PUBLIC, ShutdownRequest()).environment

    assert environment["ALERTCHECK_PUBLIC_URL"] == "https://demo.example.com"


def test_the_proxies_of_a_public_demo_are_those_of_the_administrator(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALERTCHECK_TRUSTED_PROXIES", "2")

    assert Stack(PUBLIC, ShutdownRequest()).environment["ALERTCHECK_TRUSTED_PROXIES"] == "2"
    assert Stack(DemoOptions(1, Path("/nowhere")), ShutdownRequest()).environment["ALERTCHECK_TRUSTED_PROXIES"] == "0"


@pytest.mark.parametrize(
    ("options", "arguments"),
    [(PUBLIC, ["--inboxes", "/x"]), (DemoOptions(8123, Path("/nowhere")), ["--inbox", "/x"])],
)
def test_the_receiver_of_a_public_demo_has_an_inbox_for_each_visitor(
    options: DemoOptions, arguments: list[str]
) -> None:
    stack = Stack(options, ShutdownRequest())
    stack.environment |= {"ALERTCHECK_DEMO_SIGNING_SECRET_FILE": "/secret", "ALERTCHECK_DEMO_INBOX": "/x"}
    command = stack._receiver_command(ReceiverPorts(1, 2, 3))

    position = command.index(arguments[0])
    assert command[position : position + 2] == arguments
