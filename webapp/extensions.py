"""The Flask extensions, which `create_app` binds to an application."""

import re
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from flask import request
from flask_limiter import Limiter
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import CSRFProtect, FlaskForm
from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase
from werkzeug.datastructures import MultiDict
from wtforms import Form


class Base(DeclarativeBase):
    """The base class of the tables. The naming convention names every constraint, so that migrations can drop it."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
        }
    )


# All visitors without an IP address.
UNKNOWN_CLIENT = "unknown"

# An address as some proxies write it: with a port.
_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


def get_client() -> str:
    """Return the network of the current request's visitor, which counts as one client."""
    return identify_client(request.remote_addr or "")


def identify_client(address: str) -> str:
    """Return an IPv4 address, or the /64 of an IPv6 address: one customer has at least that (RFC 6177).

    Everything else, such as the name of a socket, is one client together, so that no proxy switches a limit off.
    """
    with_port = _WITH_PORT.fullmatch(address)
    text = (with_port[1] or with_port[2]) if with_port else address
    try:
        ip = ip_address(text.partition("%")[0])
    except ValueError:
        return UNKNOWN_CLIENT
    if isinstance(ip, IPv6Address):
        return str(ip.ipv4_mapped or IPv6Network((ip, 64), strict=False))
    return str(ip)


db = SQLAlchemy(model_class=Base)
limiter = Limiter(key_func=get_client)
csrf = CSRFProtect()
login_manager = LoginManager()


class PageForm(FlaskForm):  # type: ignore[misc]
    """The base class of every form. Reads only form fields: no JSON, no files."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        def wrap_formdata(self, form: Form, formdata: Any) -> Any:
            if isinstance(formdata, MultiDict):
                return formdata
            return request.form if request and request.method == "POST" else None
