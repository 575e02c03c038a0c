"""The mail check against a scripted name server: each wrong set-up gets its sentence, and what to do."""

from functools import cache
from pathlib import Path

import pytest

from tests.mail_check.set_ups import SET_UPS
from webapp.mail_check.findings import Level
from webapp.mail_check.report import Section

pytestmark = pytest.mark.slow

EXPECTED = Path(__file__).with_name("expected_sentences.txt").read_text("utf-8")


def _read_expected() -> dict[str, str]:
    """Return what each set-up gets, by its name."""
    parts = [part.partition("\n") for part in EXPECTED.removeprefix("# ").split("\n# ")]
    return {name: lines.strip() for name, _, lines in parts}


def write_section(section: Section) -> str:
    """Write the findings as the file of expected sentences has them."""
    lines: list[str] = []
    for finding in section.findings:
        lines += [f"{finding.level.value.upper()} {finding.sentence}"]
        lines += [f"  -> {finding.next_step}"] if finding.next_step else []
        lines += [f"  record {finding.record}"] if finding.record else []
    return "\n".join(lines)


@cache
def _check(name: str) -> Section:
    return SET_UPS[name].run()


@pytest.mark.parametrize("name", SET_UPS)
def test_a_set_up_gets_its_sentences(name: str) -> None:
    assert write_section(_check(name)) == _read_expected()[name]


@pytest.mark.parametrize("name", SET_UPS)
def test_what_is_not_right_comes_with_what_to_do(name: str) -> None:
    findings = [finding for finding in _check(name).findings if "many MX records" not in finding.sentence]

    assert findings
    assert {finding.next_step is None for finding in findings if finding.level is not Level.OK} <= {False}


def test_every_set_up_is_expected_and_the_table_is_wide() -> None:
    assert set(SET_UPS) == set(_read_expected())
    assert len(SET_UPS) >= 40
