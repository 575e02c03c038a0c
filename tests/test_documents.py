"""Every file that a document names exists."""

import re

import pytest

from benchmarks.installation.processes import ROOT

# The changelog and the figures of earlier versions name what was there at the time.
DOCUMENTS = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "tests/README.md"),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "docs").rglob("*.md"))),
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_it_names_exists(document: str) -> None:
    text = (ROOT / document).read_text()
    paths = re.findall(r"`((?:webapp|tests|docs|static|templates|deploy|benchmarks)/[\w./-]+)`", text)
    names = re.findall(r"`([\w-]+\.(?:py|js|html|json))`", text)  # beside one that was named before

    made_later = (ROOT / ".gitignore").read_text().split()  # such as results, which a new clone does not have

    missing = [path for path in paths if "NAME" not in path and not (ROOT / path).exists()]
    assert [path for path in missing if path not in made_later] == []
    assert [name for name in names if not _is_anywhere(name)] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_to_a_file_and_a_heading(document: str) -> None:
    links = re.findall(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)", (ROOT / document).read_text())
    broken = [link for link in links if not _leads_somewhere(document, *link)]

    assert broken == []


def test_documents_name_many_files() -> None:
    assert (ROOT / "docs/where.md").read_text().count("`webapp/") > 200


def _is_anywhere(name: str) -> bool:
    folders = ("webapp", "tests", "benchmarks", "static", "templates", "docs", "migrations")
    return (ROOT / name).exists() or any(any((ROOT / folder).rglob(name)) for folder in folders)


def _leads_somewhere(document: str, path: str, heading: str) -> bool:
    target = (ROOT / document).parent / path if path else ROOT / document
    if not target.exists():
        return False
    return not heading or heading in _list_anchors(target.read_text())


def _list_anchors(text: str) -> list[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
