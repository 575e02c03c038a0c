"""Registers the views once for all applications of this process. Each gets a copy of what that added."""

from functools import cache
from typing import Any

from flask import Flask
from werkzeug.routing import Map, Rule
from werkzeug.routing.matcher import State, StateMachineMatcher

import webapp.application
from webapp.views.blueprints import register_views

# What registering a blueprint adds to, by its name: functions, and for errors their handlers.
FUNCTIONS = (
    *("before_request_funcs", "after_request_funcs", "teardown_request_funcs"),
    *("url_default_functions", "url_value_preprocessors", "template_context_processors"),
)


def register_once() -> None:
    """Let all applications of this process register the views in this way."""
    webapp.application.register_views = _register_copy  # type: ignore[attr-defined]


@cache
def _make_bare() -> Flask:
    """Return an application without views."""
    return Flask("webapp", static_folder="static")


@cache
def _register() -> Flask:
    """Return an application that has views and nothing else, so that they cannot depend on its settings."""
    app = Flask("webapp", static_folder="static")
    register_views(app)
    app.url_map.update()
    return app


def _register_copy(app: Flask) -> None:
    made, bare = _register(), _make_bare()
    assert str(app.url_map) == str(bare.url_map), "an application has other rules than a new one"
    _share_rules(made.url_map, app.url_map)
    app.blueprints |= made.blueprints
    app.view_functions = made.view_functions | app.view_functions
    for name in FUNCTIONS:
        for blueprint, functions in getattr(made, name).items():
            known = len(getattr(bare, name).get(blueprint, ()))
            getattr(app, name)[blueprint].extend(functions[known:])
    for blueprint, handlers in made.error_handler_spec.items():
        for code, by_class in handlers.items():
            app.error_handler_spec[blueprint][code].update(by_class)
    _run_own_functions(app)


class SharedRules(StateMachineMatcher):
    """A tree of rules that several applications share, until one of them adds a rule of its own."""

    is_shared = True

    def add(self, rule: Rule) -> None:
        """Add a rule to this application alone."""
        if self.is_shared:
            self._root, self.is_shared = _copy(self._root), False
        super().add(rule)


def _share_rules(source: Map, target: Map) -> None:
    target._matcher = SharedRules(target.merge_slashes)
    target._matcher._root = source._matcher._root
    target._rules_by_endpoint = {endpoint: list(rules) for endpoint, rules in source._rules_by_endpoint.items()}
    target._remap = False  # they are in order


def _copy(state: State) -> State:
    dynamic: list[tuple[Any, State]] = [(part, _copy(after)) for part, after in state.dynamic]
    return State(dynamic, list(state.rules), {part: _copy(after) for part, after in state.static.items()})


def _run_own_functions(app: Flask) -> None:
    """Run what our own code does for each application, when a blueprint is registered."""
    for blueprint in app.blueprints.values():
        for function in blueprint.deferred_functions:
            if function.__module__.startswith("webapp."):
                function(blueprint.make_setup_state(app, {}))
