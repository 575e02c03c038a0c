"""The manifests in deploy/kubernetes: valid, with few rights, and running what compose.yaml runs."""

import re
from copy import deepcopy
from typing import Any

import kubernetes_validate
import pytest

from benchmarks.installation.processes import ROOT
from tests.containers import OURS, VARIABLE, read_command, read_default_command, read_services, words_of
from tests.kubernetes import (
    BASE,
    OWNERS,
    Manifest,
    get_container,
    get_manifest,
    get_owner,
    get_pod,
    read_example_settings,
    read_kustomization,
    read_manifests,
)
from webapp.environment.settings_reader import Misconfigured, variables_of
from webapp.settings import SettingsModel, read_settings
from webapp.web_server.gunicorn import graceful_timeout

MANIFESTS = [*deepcopy(read_manifests()), *read_example_settings()]
# The oldest Kubernetes that the guide names, and the newest one whose schemas are installed.
VERSIONS = ["1.25", str(kubernetes_validate.latest_version())]

LABELS = {
    component: {"app.kubernetes.io/name": "alertcheck", "app.kubernetes.io/component": component}
    for component in OWNERS
}
USER, GROUP = (int(number) for number in words_of("USER")[0].split(":"))


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']}-{manifest['metadata']['name']}"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=_name)
def test_a_manifest_is_valid(manifest: Manifest, version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["spec", "replicas"], "two"),
        (["spec", "template", "spec", "terminationGraceSeconds"], 30),
        (["spec", "template", "spec", "containers", 0, "securityContext", "readOnlyRootFileSystem"], True),
        (["spec", "template", "spec", "containers", 0, "readinessProbe", "httpGet", "port"], None),
    ],
)
def test_the_schemas_refuse_a_mistake(path: list[Any], value: object) -> None:
    broken = deepcopy(get_manifest("Deployment", "alertcheck-web"))
    place: Any = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


def test_the_base_has_every_file_of_the_folder_but_the_settings() -> None:
    files = {file.name for file in BASE.iterdir()} - {"kustomization.yaml", "settings.example.yaml", "settings.yaml"}

    assert set(read_kustomization()["resources"]) == files
    assert set(read_kustomization()) == {"apiVersion", "kind", "resources", "images"}


@pytest.mark.parametrize("manifest", MANIFESTS, ids=_name)
def test_no_manifest_names_a_namespace(manifest: Manifest) -> None:
    assert "namespace" not in manifest["metadata"]


@pytest.mark.parametrize("component", OWNERS)
def test_the_image_is_named_in_one_place(component: str) -> None:
    (image,) = read_kustomization()["images"]

    assert get_container(component)["image"] == image["name"] == read_services()[component]["image"]


# What runs


@pytest.mark.parametrize("component", OURS)
def test_a_pod_runs_the_command_of_the_service_in_compose(component: str) -> None:
    container = get_container(component)

    assert "command" not in container  # it would replace the image's entry point
    assert container.get("args", read_default_command()) == read_command(component)


def test_the_web_server_has_as_many_processes_as_in_compose() -> None:
    default = VARIABLE.fullmatch(read_services()["web"]["environment"]["WEB_CONCURRENCY"])

    assert default is not None
    assert get_container("web")["env"] == [{"name": "WEB_CONCURRENCY", "value": default[2]}]


@pytest.mark.parametrize("component", OWNERS)
def test_a_pod_reads_the_settings_of_the_example(component: str) -> None:
    kinds = [("ConfigMap", "configMapRef"), ("Secret", "secretRef")]
    names = {item["kind"]: item["metadata"]["name"] for item in read_example_settings()}

    assert get_container(component)["envFrom"] == [{reference: {"name": names[kind]}} for kind, reference in kinds]


def test_the_job_is_repeated_until_the_database_is_there_and_never_restarts_in_place() -> None:
    job = get_owner("migrate")["spec"]

    assert (job["backoffLimit"], job["template"]["spec"]["restartPolicy"]) == (6, "Never")


# Rights


@pytest.mark.parametrize("component", OWNERS)
def test_a_pod_has_no_rights(component: str) -> None:
    pod, container = get_pod(component), get_container(component)

    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": USER,
        "runAsGroup": GROUP,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


@pytest.mark.parametrize("component", OWNERS)
def test_a_pod_gets_no_further_right(component: str) -> None:
    allowed = {
        "automountServiceAccountToken",
        "containers",
        "enableServiceLinks",
        "restartPolicy",
        "securityContext",
        "terminationGracePeriodSeconds",
        "topologySpreadConstraints",
        "volumes",
    }

    assert set(get_pod(component)) <= allowed


@pytest.mark.parametrize("component", OWNERS)
def test_a_pod_writes_only_to_a_tmp_of_limited_size(component: str) -> None:
    volumes = [{"name": "tmp", "emptyDir": {"medium": "Memory", "sizeLimit": "64Mi"}}]

    assert get_pod(component)["volumes"] == volumes
    assert get_container(component)["volumeMounts"] == [{"name": "tmp", "mountPath": "/tmp"}]


@pytest.mark.parametrize("component", OWNERS)
def test_a_service_of_the_cluster_sets_no_variable(component: str) -> None:
    assert get_pod(component)["enableServiceLinks"] is False


@pytest.mark.parametrize("component", OWNERS)
def test_a_pod_has_a_limit_of_memory_and_none_of_time(component: str) -> None:
    resources = get_container(component)["resources"]

    assert set(resources["requests"]) == {"cpu", "memory"}
    assert set(resources["limits"]) == {"memory"}


# Probes, starts and stops


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe", "readinessProbe"])
def test_the_web_pods_are_asked_whether_they_are_alive_and_not_whether_all_is_well(probe: str) -> None:
    assert get_container("web")[probe]["httpGet"] == {"path": "/healthz", "port": "http"}


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_the_worker_is_asked_what_compose_asks_it(probe: str) -> None:
    assert ["CMD", *get_container("worker")[probe]["exec"]["command"]] == read_services()["worker"]["healthcheck"][
        "test"
    ]


def test_a_worker_is_restarted_only_after_ten_minutes_without_work() -> None:
    probe = get_container("worker")["livenessProbe"]

    assert probe["periodSeconds"] * probe["failureThreshold"] == 600


@pytest.mark.parametrize("component", ["web", "worker"])
def test_a_pod_has_the_time_to_stop_that_compose_gives(component: str) -> None:
    grace = read_services()[component]["stop_grace_period"]

    assert f"{get_pod(component)['terminationGracePeriodSeconds']}s" == grace


def test_a_web_pod_stops_within_its_time_after_the_pause_in_which_traffic_ends() -> None:
    name, pause = get_container("web")["lifecycle"]["preStop"]["exec"]["command"]

    assert name == "sleep"
    assert int(pause) + graceful_timeout < get_pod("web")["terminationGracePeriodSeconds"]


def test_an_old_worker_ends_before_a_new_one_starts() -> None:
    assert get_owner("worker")["spec"]["strategy"] == {"type": "Recreate"}


def test_one_web_pod_always_serves() -> None:
    spec = get_owner("web")["spec"]

    assert (spec["replicas"], spec["strategy"]["rollingUpdate"]["maxUnavailable"]) == (2, 0)
    assert get_manifest("PodDisruptionBudget", "alertcheck-web")["spec"]["minAvailable"] == 1


@pytest.mark.parametrize("component", OWNERS)
def test_an_object_has_the_labels_of_its_pods(component: str) -> None:
    owner = get_owner(component)

    assert owner["metadata"]["labels"] == owner["spec"]["template"]["metadata"]["labels"] == LABELS[component]


def test_every_selector_selects_the_pods_of_its_component() -> None:
    web, worker = LABELS["web"], LABELS["worker"]
    (spread,) = get_pod("web")["topologySpreadConstraints"]

    assert get_owner("web")["spec"]["selector"]["matchLabels"] == web
    assert get_owner("worker")["spec"]["selector"]["matchLabels"] == worker
    assert get_manifest("Service", "alertcheck-web")["spec"]["selector"] == web
    assert get_manifest("PodDisruptionBudget", "alertcheck-web")["spec"]["selector"]["matchLabels"] == web
    assert spread["labelSelector"]["matchLabels"] == web


def test_the_service_leads_to_the_port_of_the_image() -> None:
    (port,) = get_manifest("Service", "alertcheck-web")["spec"]["ports"]
    (exposed,) = words_of("EXPOSE")

    assert (port["targetPort"], get_container("web")["ports"]) == (
        "http",
        [{"name": "http", "containerPort": int(exposed)}],
    )


# The settings


def _read_example() -> dict[str, str]:
    secret, config = read_example_settings()
    return {**secret["stringData"], **config["data"]}


def test_the_example_holds_settings_only_and_no_value() -> None:
    example = _read_example()

    assert set(example) <= set(variables_of(SettingsModel).values())
    assert set(example.values()) == {""}


def test_every_setting_that_may_hold_a_secret_is_in_the_secret() -> None:
    _, config = read_example_settings()

    assert [name for name in config["data"] if re.search(r"KEY|TOKEN|PASSWORD|(DATABASE|REDIS|MAIL)_URL", name)] == []


def test_the_example_refuses_to_start_and_names_what_is_missing() -> None:
    with pytest.raises(Misconfigured) as refused:
        read_settings(_read_example())

    missing = re.findall(r"^(\w+) is not set\.", str(refused.value), re.MULTILINE)
    assert sorted(missing) == ["ALERTCHECK_CONFIG_KEYS", "DATABASE_URL", "REDIS_URL", "SECRET_KEY"]


def test_the_filled_in_settings_are_ignored_by_git() -> None:
    assert "/deploy/kubernetes/settings.yaml" in (ROOT / ".gitignore").read_text().splitlines()
