"""Templates that several threads need at once are compiled once."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from jinja2 import DictLoader, Environment

from webapp.views.template_loading import SharedEnvironment

THREADS = 4


@pytest.fixture
def compiled(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the templates that were compiled, each slowly enough for all threads to come meanwhile."""
    names: list[str] = []
    compile_template = Environment.compile

    def compile_slowly(environment: Environment, source: Any, name: str, *arguments: Any) -> Any:
        names.append(name)
        time.sleep(0.05)
        return compile_template(environment, source, name, *arguments)

    monkeypatch.setattr(Environment, "compile", compile_slowly)
    return names


def test_threads_that_need_a_template_at_once_compile_it_and_its_base_once(app: Flask, compiled: list[str]) -> None:
    sources = {
        "base": "{% block page %}{% endblock %}!",
        "page": "{% extends 'base' %}{% block page %}page{% endblock %}",
    }
    environment, together = SharedEnvironment(app, loader=DictLoader(sources)), Barrier(THREADS)

    def draw(_number: int) -> str:
        together.wait()
        return environment.get_template("page").render()

    with ThreadPoolExecutor(THREADS) as pool:
        assert list(pool.map(draw, range(THREADS))) == ["page!"] * THREADS
    assert compiled == ["page", "base"]


def test_the_pages_are_drawn_in_this_way(app: Flask) -> None:
    assert isinstance(app.jinja_env, SharedEnvironment)
