"""The Flask extensions, made once and bound to an application in `create_app`, and the state of one application."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from redis import Redis
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
from werkzeug.datastructures import MultiDict
from wtforms import Form

if TYPE_CHECKING:
    from webapp.dashboard.poll_interval import PollBudget
    from webapp.settings import AppSettings
    from webapp.worker.dispatcher import Dispatcher


class Base(DeclarativeBase):
    """The models' base. Constraints get a name by rule, so that migrations can drop them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)
migrate = Migrate()
limiter = Limiter(key_func=get_remote_address)
csrf = CSRFProtect()
login_manager = LoginManager()


class PageForm(FlaskForm):  # type: ignore[misc]
    """The base of every form. Reads what a browser's form sends, and nothing else: no JSON, no files."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def wrap_formdata(self, form: Form, formdata: Any) -> Any:
            if isinstance(formdata, MultiDict):
                return formdata
            return request.form if request and request.method == "POST" else None


@dataclass
class AppState:
    """What one application shares between its requests and jobs.

    redis: the client of the queue server.
    dispatcher: None outside worker processes.
    counting_paused_until: seconds of the monotonic clock, see `webapp.metrics.counters`.
    """

    settings: "AppSettings"
    redis: Redis
    poll_budget: "PollBudget"
    dispatcher: "Dispatcher | None" = None
    counting_paused_until: float = -math.inf


def app_state(app: Flask | None = None) -> AppState:
    """Return the state of an application; by default, of the current one."""
    state: AppState = (app or current_app).extensions["alertcheck"]
    return state
