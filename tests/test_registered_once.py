"""What the applications of tests share: each is as if it had registered the views itself."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.exceptions import NotFound

from tests.registered_once import FUNCTIONS
from webapp.application import create_app
from webapp.settings import AppSettings
from webapp.views.blueprints import register_views


def describe(app: Flask) -> dict[str, Any]:
    """Return all that registering views may add to."""
    rules = {
        (rule.rule, rule.endpoint, frozenset(rule.methods or ()), rule.strict_slashes)
        for rule in app.url_map.iter_rules()
    }
    functions = {
        (name, blueprint, getattr(function, "func", function).__qualname__)
        for name in FUNCTIONS
        for blueprint, functions in getattr(app, name).items()
        for function in functions
    }
    handlers = {
        (blueprint, code, error, handler.__qualname__)
        for blueprint, by_code in app.error_handler_spec.items()
        for code, by_class in by_code.items()
        for error, handler in by_class.items()
    }
    others = app.blueprints, {name: view.__qualname__ for name, view in app.view_functions.items()}
    return {"rules": rules, "functions": functions, "handlers": handlers, "others": others} | {
        "extensions": set(app.extensions),
        "filters": set(app.jinja_env.filters),
        "globals": set(app.jinja_env.globals),
    }


def test_an_application_is_as_if_it_had_registered_the_views(
    app_settings: AppSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = describe(create_app(app_settings))
    monkeypatch.setattr("webapp.application.register_views", register_views)

    assert shared == describe(create_app(app_settings))


def test_a_rule_of_one_application_is_not_in_another(app_settings: AppSettings) -> None:
    app, other = create_app(app_settings), create_app(app_settings)

    app.add_url_rule("/of-one", "found")
    app.before_request_funcs["auth"].append(lambda: None)

    assert app.url_map.bind("localhost").match("/of-one")[0] == "found"
    with pytest.raises(NotFound):
        other.url_map.bind("localhost").match("/of-one")
    assert "auth" not in other.before_request_funcs


def test_an_application_has_a_report_of_its_own(app_settings: AppSettings) -> None:
    one, other = (create_app(app_settings).extensions["alertcheck_readiness"] for _ in range(2))

    assert one is not other
