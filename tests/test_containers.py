"""The Dockerfile and compose.yaml: every service has few rights, a health check, and no secret in the file."""

import re
from typing import Any

import pytest

from benchmarks.installation.processes import ROOT
from tests.containers import (
    OURS,
    VARIABLE,
    read_copied,
    read_dockerfile,
    read_example,
    read_services,
    read_settings_table,
    words_of,
)
from webapp.environment.deprecated_names import NEW_NAMES
from webapp.environment.settings_reader import variables_of
from webapp.settings import SettingsModel

SERVICES = read_services()
LONG_RUNNING = sorted(set(SERVICES) - {"migrate"})
VARIABLES = variables_of(SettingsModel)
SETTINGS = set(VARIABLES.values())
NUMBERS = {VARIABLES[name]: info.default for name, info in SettingsModel.model_fields.items() if info.annotation is int}
SECRETS = re.compile(r"PASSWORD|SECRET|KEY|TOKEN|URL")


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("user", words_of("USER")[0]),
        ("read_only", True),
        ("tmpfs", ["/tmp"]),
        ("cap_drop", ["ALL"]),
        ("security_opt", ["no-new-privileges:true"]),
        ("init", True),
    ],
)
def test_our_services_have_no_rights_and_write_only_to_tmp(service: str, option: str, value: object) -> None:
    assert SERVICES[service][option] == value


@pytest.mark.parametrize("service", OURS)
@pytest.mark.parametrize("option", ["privileged", "cap_add", "devices", "network_mode", "pid", "volumes"])
def test_our_services_get_no_further_right(service: str, option: str) -> None:
    assert option not in SERVICES[service]


def test_the_image_does_not_run_as_root() -> None:
    (user,) = words_of("USER")

    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user)


@pytest.mark.parametrize("service", LONG_RUNNING)
def test_every_long_running_service_has_a_health_check_and_restarts(service: str) -> None:
    assert SERVICES[service]["healthcheck"]["test"][0] == "CMD"
    assert SERVICES[service]["restart"] == "unless-stopped"


@pytest.mark.parametrize("service", ["web", "worker"])
def test_web_and_worker_wait_for_the_migration_and_the_queue(service: str) -> None:
    assert SERVICES[service]["depends_on"] == {
        "migrate": {"condition": "service_completed_successfully"},
        "valkey": {"condition": "service_healthy"},
    }


@pytest.mark.parametrize("service", sorted(set(SERVICES) - {"web"}))
def test_only_the_web_server_publishes_a_port(service: str) -> None:
    assert "ports" not in SERVICES[service]


def test_a_port_in_the_env_file_does_not_change_the_published_one() -> None:
    web = read_services()["web"]
    (published,) = web["ports"]

    assert published.endswith(f":{web['environment']['PORT']}")


def test_the_web_server_is_published_on_localhost_by_default() -> None:
    assert SERVICES["web"]["ports"] == ["${ALERTCHECK_WEB_ADDRESS:-${WEB_ADDRESS:-127.0.0.1:8000}}:8000"]


@pytest.mark.parametrize("image", [*words_of("FROM"), SERVICES["postgres"]["image"], SERVICES["valkey"]["image"]])
def test_an_image_has_its_version_and_its_digest_pinned(image: str) -> None:
    assert re.fullmatch(r"[a-z/]+:\d+(\.\d+)*(-slim)?@sha256:[0-9a-f]{64}", image)


@pytest.mark.parametrize("service", SERVICES)
def test_the_file_contains_no_secret(service: str) -> None:
    environment: dict[str, Any] = SERVICES[service]["environment"] if service != "valkey" else {}
    secrets = {name: value for name, value in environment.items() if SECRETS.search(name)}

    assert [name for name, value in secrets.items() if not VARIABLE.search(value)] == []


def test_every_variable_of_the_file_is_in_the_example() -> None:
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "compose.yaml").read_text()))

    assert used - NEW_NAMES.keys() <= set(read_example())
    assert {NEW_NAMES[old] for old in used & NEW_NAMES.keys()} <= used


def test_the_example_has_every_setting_and_no_other_variable() -> None:
    assert set(read_example()) == SETTINGS | {"ALERTCHECK_WEB_ADDRESS", "POSTGRES_PASSWORD", "WEB_CONCURRENCY"}


def test_the_table_of_settings_has_every_variable_of_the_example_and_two_more() -> None:
    assert sorted(row[0] for row in read_settings_table()) == sorted({*read_example(), "DATA_DIR", "PORT"})


@pytest.mark.parametrize(("variable", "default"), sorted(NUMBERS.items()))
def test_the_table_of_settings_has_the_default_of_a_number(variable: str, default: int) -> None:
    assert [row[-1] for row in read_settings_table() if row[0] == variable] == [f"`{default}`"]


def test_the_table_of_settings_has_no_empty_cell() -> None:
    assert [row for row in read_settings_table() if "" in row] == []


def test_no_file_that_administrators_copy_contains_an_old_name() -> None:
    texts = [(ROOT / name).read_text() for name in ("README.md", "docs/deploy.md", ".env.example")]

    assert [old for old in NEW_NAMES if any(re.search(rf"(?<![A-Z_]){old}(?![A-Z_])", text) for text in texts)] == []


def test_the_example_sets_one_value_because_gunicorn_does_not_start_if_it_is_empty() -> None:
    assert {name: value for name, value in read_example().items() if value} == {"WEB_CONCURRENCY": "2"}


def test_the_env_file_is_ignored_by_git() -> None:
    assert "/.env" in (ROOT / ".gitignore").read_text().splitlines()


def test_the_build_context_contains_only_copied_files() -> None:
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]

    assert rules[0] == "*"
    assert {rule.removeprefix("!") for rule in rules if rule.startswith("!")} == set(read_copied())


def test_every_package_is_checked_against_its_hash() -> None:
    (install,) = [words for name, words in read_dockerfile() if name == "RUN" and "pip install" in words]

    assert "--require-hashes -r requirements.txt" in install
