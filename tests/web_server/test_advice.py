"""The log's advice on the set-up: docs/proxies.md lists every problem, and each is logged once."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.installation.processes import ROOT
from webapp.web_server.advice import Advice, AdviceLog

GUIDE = (ROOT / "docs" / "proxies.md").read_text()


def test_the_guide_lists_every_problem() -> None:
    assert re.findall(r"^\| `([a-z_]+)` \|", GUIDE.partition("| `problem` |")[2], re.MULTILINE) == [
        problem.name.lower() for problem in Advice
    ]


def test_every_file_that_the_guide_links_to_exists() -> None:
    linked = re.findall(r"\]\((\.\./[\w/.-]+)\)", GUIDE)

    assert len(linked) == 5
    assert [link for link in linked if not (ROOT / "docs" / link).is_file()] == []


@pytest.mark.parametrize("problem", Advice)
def test_each_advice_names_what_to_change(problem: Advice) -> None:
    assert re.search(r"ALERTCHECK_[A-Z]+_?[A-Z]+|SCRIPT_NAME", problem.value)


def test_a_problem_is_logged_once_by_all_threads_together(caplog: pytest.LogCaptureFixture) -> None:
    advice = AdviceLog()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: advice.report(Advice.NO_ADDRESS, trusted_proxies=1), range(200)))

    assert len(caplog.records) == 1
