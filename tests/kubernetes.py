"""Reads the manifests in deploy/kubernetes, and runs what their pods run without a cluster."""

from functools import cache
from typing import Any

import yaml

from benchmarks.installation.processes import ROOT
from tests.containers import Container, read_default_command

BASE = ROOT / "deploy" / "kubernetes"
EXAMPLE = BASE / "settings.example.yaml"

# Our pods by their component, with the kind of object that makes them.
OWNERS = {"migrate": "Job", "web": "Deployment", "worker": "Deployment"}

Manifest = dict[str, Any]


def read_kustomization() -> Manifest:
    """Read the file that lists the others."""
    kustomization: Manifest = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    return kustomization


@cache
def read_manifests() -> list[Manifest]:
    """Read every object of the base, once for all tests, which must not change it."""
    texts = [(BASE / name).read_text() for name in read_kustomization()["resources"]]
    return [manifest for text in texts for manifest in yaml.safe_load_all(text)]


def read_example_settings() -> list[Manifest]:
    """Read the example of the settings, which an administrator copies."""
    return list(yaml.safe_load_all(EXAMPLE.read_text()))


def get_manifest(kind: str, name: str) -> Manifest:
    """Return one object of the base."""
    (found,) = [item for item in read_manifests() if (item["kind"], item["metadata"]["name"]) == (kind, name)]
    return found


def get_owner(component: str) -> Manifest:
    """Return the object that makes the pods of a component."""
    return get_manifest(OWNERS[component], f"alertcheck-{component}")


def get_pod(component: str) -> Manifest:
    """Return the specification of a component's pods."""
    pod: Manifest = get_owner(component)["spec"]["template"]["spec"]
    return pod


def get_container(component: str) -> Manifest:
    """Return the only container of a component's pods."""
    (container,) = get_pod(component)["containers"]
    return dict(container)


def read_pod(component: str) -> Container:
    """Read what a component's container runs."""
    container = get_container(component)
    environment = {variable["name"]: variable["value"] for variable in container.get("env", [])}
    check = container.get("readinessProbe", {}).get("exec", {}).get("command", [])
    return Container(container.get("args") or read_default_command(), environment, check)
