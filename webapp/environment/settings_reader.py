"""Reads settings from environment variables, and reports all missing or invalid ones at once, without their values."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError, ValidationInfo
from pydantic.fields import FieldInfo

from webapp.environment.cleaning import clean

PREFIX = "ALERTCHECK_"

# A comment behind a value, which `docker run --env-file` and systemd take for a part of it.
_COMMENT = re.compile(r"\s#")


class Misconfigured(Exception):
    """Settings are missing or invalid. The text has one line per setting, with its name and what to do."""


class EnvironmentSettings(BaseModel):
    """A set of settings. A field's variable is its alias, or ALERTCHECK_ followed by its name in capitals.

    A validator raises ValueError with the rest of a sentence that begins with the variable. The sentence must not
    repeat the value, which may be a secret. A required field's description explains what to do if it is not set.
    """

    model_config = ConfigDict(
        arbitrary_types_allowed=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        loc_by_alias=False,
    )


Read = TypeVar("Read", bound=EnvironmentSettings)
Value = TypeVar("Value")


def variables_of(model: type[EnvironmentSettings]) -> dict[str, str]:
    """Return the environment variable of every field, by field name."""
    return {field: _variable_of(field, info) for field, info in model.model_fields.items()}


def read_model(model: type[Read], environ: Mapping[str, str], problems: Sequence[str] = ()) -> Read:
    """Read every setting of a model. An empty variable counts as unset.

    problems: sentences to report in addition to those found here. Raises `Misconfigured`.
    """
    found: list[str] = []
    try:
        settings = model(**_select(model, environ))
    except ValidationError as error:
        problems_found = error.errors(include_url=False, include_input=False)
        found = [_describe(model, problem, environ) for problem in problems_found]
    # Raised outside the except block: its context must not be pydantic's error, which has the values.
    if problems or found:
        raise Misconfigured("\n".join([*problems, *found]))
    return settings


def needed_with(other: str, variable: str | None = None) -> AfterValidator:
    """Require a value if `other`, a field above this one, is set. variable: its alias, if it has one."""

    def check(value: Value, info: ValidationInfo) -> Value:
        if not value and info.data.get(other, "set, but wrong"):
            raise ValueError(f"is not set, and {variable or PREFIX + other.upper()} needs it.")
        return value

    return AfterValidator(check)


def split(text: str, separators: str = ",") -> list[str]:
    """Return the entries of a list, without the empty ones. A line break separates entries too."""
    entries = re.split(f"[{re.escape(separators)}\r\n]", text)
    return [clean(entry) for entry in entries if clean(entry)]


def _variable_of(field: str, info: FieldInfo) -> str:
    return str(info.validation_alias or f"{PREFIX}{field.upper()}")


def _select(model: type[EnvironmentSettings], environ: Mapping[str, str]) -> dict[str, str]:
    """Return the texts that are set, by the names that the model's constructor takes."""
    texts = {
        str(info.validation_alias or field): clean(environ.get(_variable_of(field, info), ""))
        for field, info in model.model_fields.items()
    }
    return {name: text for name, text in texts.items() if text}


def _describe(model: type[EnvironmentSettings], problem: Mapping[str, Any], environ: Mapping[str, str]) -> str:
    field = str(problem["loc"][0])
    info = model.model_fields[field]
    variable = _variable_of(field, info)
    has_comment = _COMMENT.search(environ.get(variable, ""))
    return f"{variable} {_complete(problem, info)}{' Write a comment on a line of its own.' if has_comment else ''}"


def _complete(problem: Mapping[str, Any], info: FieldInfo) -> str:
    """Return the rest of the sentence, based on the type of the problem only."""
    match problem["type"]:
        case "missing":
            return f"is not set. {info.description or 'See docs/settings.md.'}"
        # Subclasses of ValueError come from libraries, and quote the value.
        case "value_error" if type(problem["ctx"]["error"]) is ValueError:
            return str(problem["ctx"]["error"])
        case _ if info.annotation is int:
            return f"has to be a whole number, such as {info.default}."
    return "cannot be read. See docs/settings.md."
