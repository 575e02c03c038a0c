"""The floors of the house: a module knows lower floors only, and none on its own."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

FLOORS = (
    ("wsgi",),
    ("webapp.application",),
    ("webapp.views", "webapp.cli", "webapp.errors", "webapp.headers", "webapp.logs"),
    ("webapp.worker", "webapp.status", "webapp.batches", "webapp.demo"),
    ("webapp.pressing",),
    (
        "webapp.jobs",
        "webapp.access",
        "webapp.forms",
        "webapp.masking",
        "webapp.diagnosis",
        "webapp.sample",
        "webapp.losses",
    ),
    ("webapp.deliveries", "webapp.destinations", "webapp.overview", "webapp.history", "webapp.sessions"),
    (
        "webapp.last_test",
        "webapp.backlog",
        "webapp.strips",
        "webapp.tallies",
        "webapp.cooldown",
        "webapp.locks",
        "webapp.accounts",
    ),
    ("webapp.audit",),
    ("webapp.models",),
    ("webapp.config", "webapp.columns", "webapp.crew", "webapp.pace"),
    ("webapp.channels", "webapp.extensions", "webapp.sealing", "webapp.keys", "webapp.links", "webapp.wording"),
    ("webapp.outbound",),
    ("webapp.failures",),
    ("webapp",),
)
"""From the top. A folder is one room; inside it, `test_no_module_imports_in_a_circle` holds."""

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in [ROOT / "wsgi.py", *(ROOT / "webapp").rglob("*.py")]
}


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _imports(module: str) -> set[str]:
    """Name the modules of ours that a module imports, wherever in the file."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(FILES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in FILES else node.module for name in names}
    return {name for name in found if name in FILES}


def _floor(module: str) -> int:
    return next(number for number, rooms in enumerate(reversed(FLOORS)) if _room(module) in rooms)


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_module_knows_lower_floors_only(module: str) -> None:
    others = {name for name in _imports(module) if _room(name) != _room(module)}

    assert {name for name in others if _floor(name) >= _floor(module)} == set()


@pytest.mark.parametrize("module", sorted(FILES))
def test_no_module_imports_in_a_circle(module: str) -> None:
    seen, ahead = set(), _imports(module)
    while ahead:
        seen |= ahead
        ahead = set().union(*(_imports(name) for name in ahead)) - seen

    assert module not in seen


@pytest.mark.parametrize("module", sorted(FILES))
def test_nothing_is_imported_inside_a_function(module: str) -> None:
    functions = [node for node in ast.walk(ast.parse(FILES[module].read_text())) if isinstance(node, ast.FunctionDef)]
    inside = [node for function in functions for node in ast.walk(function)]

    assert [node.lineno for node in inside if isinstance(node, ast.Import | ast.ImportFrom)] == []


@pytest.mark.parametrize("module", sorted(FILES))
def test_a_module_opens_with_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(ast.parse(FILES[module].read_text()))


@pytest.mark.parametrize("module", ["webapp.demo.__main__", "webapp.demo.receiver"])
def test_the_demo_does_without_the_application(module: str) -> None:
    told = f"import sys, {module}; print(sorted({{'flask', 'sqlalchemy', 'webapp.application'}} & sys.modules.keys()))"

    done = subprocess.run([sys.executable, "-c", told], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_only_one_file_knows_the_queue() -> None:
    knows = {name for name, path in FILES.items() if "from rq" in path.read_text() or "import rq" in path.read_text()}

    assert knows == {"webapp.jobs"}
