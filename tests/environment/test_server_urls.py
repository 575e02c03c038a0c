"""The URLs of the database and the queue server, as operators and platforms write them."""

from typing import Any
from urllib.parse import quote

import pytest
from redis.connection import parse_url
from sqlalchemy import make_url

from webapp.environment.server_urls import read_database_url, read_queue_url

ODD = "a/b#c?d@e%f:g[h]i &j"


def _parse_queue_url(url: str) -> Any:
    """Read a URL as the client of the queue does."""
    return parse_url(url)  # type: ignore[no-untyped-call]


def _refuse_database(url: str) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        read_database_url(url)
    return str(caught.value)


def _refuse_queue(url: str) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        read_queue_url(url)
    return str(caught.value)


@pytest.mark.parametrize(
    "scheme",
    ["postgresql", "postgres", "POSTGRES", "postgresql+psycopg", "postgresql+psycopg2", "postgres+psycopg2"],
)
def test_every_usual_scheme_of_postgresql_is_understood(scheme: str) -> None:
    assert read_database_url(f"{scheme}://me:pw@db/alerts?sslmode=require") == (
        "postgresql://me:pw@db/alerts?sslmode=require"
    )


@pytest.mark.parametrize("scheme", ["postgresql+asyncpg", "postgres+pg8000", "postgresql+canary"])
def test_the_driver_of_another_program_is_refused(scheme: str) -> None:
    sentence = _refuse_database(f"{scheme}://me:canary@db/alerts")

    assert sentence.startswith("has to begin with postgresql://")
    assert "canary" not in sentence


@pytest.mark.parametrize("url", ["mysql://me:canary@db/alerts", "canary", "db.example/alerts", "/var/x.sqlite", "://"])
def test_another_scheme_is_refused(url: str) -> None:
    assert _refuse_database(url) == "has to begin with postgresql:// or sqlite:///."


def test_a_host_in_capital_letters_with_a_final_dot_is_understood() -> None:
    assert read_database_url("postgresql://Me:Pw@DB.Example.COM.:5432/Alerts") == (
        "postgresql://Me:Pw@db.example.com:5432/Alerts"
    )


def test_the_clients_read_an_encoded_password_as_it_was() -> None:
    database = make_url(read_database_url(f"postgres://me%40corp:{quote(ODD, safe='')}@db/alerts"))
    queue = _parse_queue_url(read_queue_url(f"redis://me%40corp:{quote(ODD, safe='')}@queue/3"))

    assert (database.username, database.password, database.host) == ("me@corp", ODD, "db")
    assert (queue["username"], queue["password"], queue["host"], queue["db"]) == ("me@corp", ODD, "queue", 3)


@pytest.mark.parametrize("password", ["a:b", "a^b", "a{b}|c", r"a\b", "a=b&c", "a+b", "a~!$'()*,;b"])
def test_the_clients_read_a_password_that_needs_no_encoding(password: str) -> None:
    database = make_url(read_database_url(f"postgres://me:{password}@db/alerts"))
    queue = _parse_queue_url(read_queue_url(f"redis://me:{password}@queue/3"))

    assert database.password == queue["password"] == password


@pytest.mark.parametrize("password", ["a/b", "a#b", "a?b", "a@b", "a%b", "a[b"])
def test_an_unencoded_password_is_refused(password: str) -> None:
    database = _refuse_database(f"postgres://canary:{password}@db/alerts")

    assert "%23" in database
    assert database.endswith("With compose.yaml, generate POSTGRES_PASSWORD like SECRET_KEY.")
    assert "%23" in _refuse_queue(f"redis://canary:{password}@queue/0")
    assert "canary" not in database


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://db1,db2/alerts",
        "postgresql://me:canary@db1:5432,db2:5432/alerts",
        "postgresql:///alerts?host=db1,db2",
        "postgresql:///alerts?host=db1&host=db2",
        "postgresql://db1/alerts?host=db2",
    ],
)
def test_several_hosts_are_refused(url: str) -> None:
    assert _refuse_database(url).startswith("names several hosts. Give one name or address")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql:///alerts",
        "postgresql:///alerts?host=/run/postgresql",
        "postgresql://me@/alerts?host=/run/postgresql&application_name=a@b",
        "postgresql://db",
        "postgresql://[::1]:5432/alerts?connect_timeout=3&options=-csearch_path%3Dx",
    ],
)
def test_other_forms_that_the_client_knows_are_kept(url: str) -> None:
    assert read_database_url(url) == url


@pytest.mark.parametrize("query", ["schema=public", "pgbouncer=true", "ssl=true", "canary", "sslmode=require&canary=1"])
def test_a_parameter_of_another_client_is_refused(query: str) -> None:
    sentence = _refuse_database(f"postgresql://db/alerts?{query}")

    assert "PostgreSQL's client does not know" in sentence
    assert "canary" not in sentence


@pytest.mark.parametrize("mode", ["required", "true", "", "canary"])
def test_a_wrong_sslmode_is_refused_with_the_right_ones(mode: str) -> None:
    assert "none of allow, disable, prefer, require, verify-ca, verify-full" in _refuse_database(
        f"postgresql://db/alerts?sslmode={mode}"
    )


@pytest.mark.parametrize("path", ["a/b", "alerts/", "/alerts"])
def test_a_path_that_is_not_the_name_of_a_database_is_refused(path: str) -> None:
    assert _refuse_database(f"postgresql://db/{path}").startswith("has to end with the name of the database")


@pytest.mark.parametrize(
    "url",
    ["sqlite:////var/x.sqlite", "sqlite:///file:/var/x.sqlite?mode=ro&uri=true", "sqlite:////var/a@b#c.sqlite"],
)
def test_a_file_of_sqlite_is_named_by_its_whole_path(url: str) -> None:
    assert read_database_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:///x.db",
        "sqlite:///./x.db",
        "sqlite:///data/x.db",
        "sqlite:///~/x.db",
        "sqlite:///$HOME/x.db",
        "sqlite:///file:x.db?uri=true",
        "sqlite://x.db",
        "sqlite://data/x.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///:memory:",
        "sqlite:///file:/x?mode=memory&uri=true",
    ],
)
def test_a_relative_file_of_sqlite_or_none_is_refused_with_the_right_form(url: str) -> None:
    assert _refuse_database(url).startswith(
        "has to name a file by its whole path, with four slashes: sqlite:////var/lib/alertcheck/alertcheck.sqlite."
    )


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("redis://queue", "redis://queue"),
        ("Redis://QUEUE.:6379/", "redis://queue:6379/"),
        ("rediss://:pw@queue:6380/15", "rediss://:pw@queue:6380/15"),
        ("rediss://me:@queue?ssl_cert_reqs=none", "rediss://me:@queue?ssl_cert_reqs=none"),
        ("valkey://queue/0", "redis://queue/0"),
        ("valkeys://queue/0?db=2", "rediss://queue/0?db=2"),
        ("unix:///run/valkey.sock", "unix:///run/valkey.sock"),
        ("unix://me:pw@/run/valkey.sock?db=3", "unix://me:pw@/run/valkey.sock?db=3"),
    ],
)
def test_every_usual_form_of_the_queue_is_understood(url: str, read: str) -> None:
    assert read_queue_url(url) == read


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("tcp://canary:6379", "has to begin with redis://"),
        ("https://canary", "has to begin with redis://"),
        ("redis+cluster://canary", "has to begin with redis://"),
        ("canary:6379", "has to begin with redis://"),
        ("redis:canary", "has to begin with redis://"),
        ("redis://queue/canary", "has to end with the number of a database"),
        ("redis://queue/0/canary", "has to end with the number of a database"),
        ("redis://queue/1/2", "has to end with the number of a database"),
        ("redis://queue/-1", "has to end with the number of a database"),
        ("redis://queue/1.0", "has to end with the number of a database"),
        ("redis://queue/123456", "has to end with the number of a database"),
        ("redis://queue?db=canary", "has a value of db that is not a number."),
        ("redis://queue?canary=1", "has a parameter after the question mark"),
        ("redis://queue?ssl_cert_reqs=none", "has a parameter for TLS, which needs rediss://"),
        ("redis://canary@queue", "has a user name without a password"),
        ("redis://:pw@:6379/0", "names no host"),
        ("redis:///0", "names no host"),
        ("redis://a,b/0", "names several hosts"),
        ("redis://queue:canary", "has a port that is not a number"),
        ("redis://queue:70000", "has a port that is not a number"),
        ("unix://run/canary.sock", "has to name a socket by its whole path"),
        ("unix://", "has to name a socket by its whole path"),
    ],
)
def test_a_queue_that_cannot_be_used_is_refused(url: str, complaint: str) -> None:
    sentence = _refuse_queue(url)

    assert sentence.startswith(complaint)
    assert "canary" not in sentence
