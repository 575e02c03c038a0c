"""The hooks of pre-commit: the checks of `make check`, with the installed tools."""

import re
import subprocess
import sys

import yaml

from benchmarks.installation.processes import ROOT

FILE = ROOT / ".pre-commit-config.yaml"
CHECK = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_pre_commit_accepts_the_hooks() -> None:
    command = [sys.executable, "-m", "pre_commit", "validate-config", str(FILE)]

    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_no_hook_is_downloaded() -> None:
    repositories = yaml.safe_load(FILE.read_text())["repos"]

    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["language"] for hook in repositories[0]["hooks"]} == {"system"}


def test_each_tool_of_make_check_has_a_hook() -> None:
    hooks = yaml.safe_load(FILE.read_text())["repos"][0]["hooks"]

    assert CHECK is not None
    assert set(re.findall(r"-m (\w+)", CHECK[1])) == {hook["entry"].split()[2] for hook in hooks}
