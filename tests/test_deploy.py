"""docs/deploy.md: every command, variable, file and page that it names exists."""

import re
from datetime import timedelta

import pytest
from click import Context
from flask import Flask

from benchmarks.installation.processes import ROOT
from tests.containers import read_command, read_example, read_services
from tests.kubernetes import BASE, OWNERS, get_manifest, get_owner, read_example_settings
from webapp.account_mail.outcome import LIFETIME as MAIL_LIFETIME
from webapp.deliveries.requesting.cooldown import COOLDOWN
from webapp.deliveries.requesting.planned_test_transitions import MAX_DELAY
from webapp.deliveries.retry_policy import TEST_SEND_POLICY

GUIDE = (ROOT / "docs" / "deploy.md").read_text()
# The lines to type.
BLOCKS = re.findall(r"^```\n(.+?)^```", GUIDE, re.MULTILINE | re.DOTALL)
LINES = [line.partition(" #")[0].strip() for block in BLOCKS for line in block.splitlines()]


def test_every_command_exists(app: Flask) -> None:
    assert set(re.findall(r"flask --app wsgi ([a-z-]+)", GUIDE)) <= set(app.cli.list_commands(Context(app.cli)))


def test_every_db_command_exists(app: Flask) -> None:
    db = app.cli.get_command(Context(app.cli), "db")

    named = set(re.findall(r"flask --app wsgi db ([a-z-]+)", GUIDE))
    assert {"upgrade", "downgrade", "current"} <= named <= set(getattr(db, "commands", {}))


def test_every_variable_is_in_the_example() -> None:
    read_by_the_demo_alone = {"DATA_DIR"}

    assert set(re.findall(r"\b[A-Z]+_[A-Z_]+\b", GUIDE)) <= set(read_example()) | read_by_the_demo_alone


def test_every_document_it_names_exists() -> None:
    assert [name for name in re.findall(r"`(docs/[\w/.-]+)`", GUIDE) if not list(ROOT.glob(f"{name}*"))] == []


def test_every_file_of_the_deployments_that_it_names_exists() -> None:
    named = re.findall(r"`?(deploy/[\w/.-]+)`?", GUIDE)

    assert {"deploy/systemd/", "deploy/kubernetes/", "deploy/kubernetes"} <= set(named)
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_every_heading_that_it_links_to_exists() -> None:
    headings = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)
    anchors = {re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}

    assert set(re.findall(r"\]\(#([\w-]+)\)", GUIDE)) <= anchors


def test_what_waited_in_a_backup_has_expired_when_a_restored_installation_is_started() -> None:
    (minutes,) = re.findall(r"start them no sooner than (\d+) minutes after the time of the backup", GUIDE)

    lifetimes = (TEST_SEND_POLICY.time_limit, COOLDOWN + MAX_DELAY, MAIL_LIFETIME)
    assert timedelta(minutes=int(minutes)) >= max(lifetimes)


@pytest.mark.parametrize("service", ["web", "worker", "migrate"])
def test_a_platform_runs_the_commands_of_the_containers(service: str) -> None:
    assert f"| `{' '.join(read_command(service))}` |" in GUIDE


def test_every_service_that_docker_is_told_about_exists() -> None:
    named = re.findall(r"docker compose (?:exec|run|stop) ((?:-\S+ )*)(\w+)", GUIDE)

    assert {service for _, service in named} <= set(read_services())


# Kubernetes


def _list_objects() -> set[str]:
    owners = {f"{OWNERS[component].lower()}/{get_owner(component)['metadata']['name']}" for component in OWNERS}
    return owners | {f"service/{get_manifest('Service', 'alertcheck-web')['metadata']['name']}"}


def test_every_object_that_kubectl_is_told_about_exists() -> None:
    named = re.findall(
        r"\b((?:deployment|job|service)/alertcheck-\w+)", GUIDE + (BASE / "settings.example.yaml").read_text()
    )

    assert set(named) == _list_objects()


def test_every_selector_selects_a_component() -> None:
    selectors = [selector for line in LINES for selector in re.findall(r"--selector (\S+)", line)]
    pairs = [dict(pair.split("=") for pair in selector.split(",")) for selector in selectors]
    labels = [get_owner(component)["metadata"]["labels"].items() for component in OWNERS]

    assert len(pairs) == 3
    assert [pair for pair in pairs if not any(pair.items() <= known for known in labels)] == []


def test_the_worker_is_gone_before_the_schema_changes() -> None:
    steps = [
        LINES.index(next(line for line in LINES if line.startswith(start)))
        for start in (
            "kubectl scale deployment/alertcheck-worker --replicas=0",
            "kubectl wait --for=delete pod",
            "kubectl delete job/alertcheck-migrate",
            "kubectl apply -k . --selector app.kubernetes.io/component=migrate",
            "kubectl wait --for=condition=complete --timeout=30m job/alertcheck-migrate",
        )
    ]

    assert steps == sorted(steps)
    assert LINES[steps[-1] + 1] == "kubectl apply -k ."


def test_the_wait_for_the_worker_is_longer_than_its_time_to_stop() -> None:
    (seconds,) = re.findall(r"--for=delete pod .*--timeout=(\d+)s", GUIDE)

    assert int(seconds) > get_owner("worker")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]


def test_what_the_settings_need_without_containers_is_what_kubernetes_needs_too() -> None:
    secret, _ = read_example_settings()

    assert {"DATABASE_URL", "REDIS_URL"} <= set(secret["stringData"])
    assert {line.split("=")[0] for line in LINES if re.match(r"[A-Z_]+=", line)} == {
        "DATABASE_URL",
        "REDIS_URL",
    }
