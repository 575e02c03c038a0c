"""What follows the question mark in the URLs of the servers: the clients accept it, or the setting is refused."""

from collections.abc import Callable
from pathlib import Path

import pytest
from redis import Redis
from sqlalchemy import make_url

from webapp.environment.server_urls import read_database_url, read_queue_url


def _refuse(read: Callable[[str], str], url: str) -> str:
    with pytest.raises(ValueError, match=r"\.$") as caught:
        read(url)
    assert "canary" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        *(
            (f"socket_timeout={value}", "a number of seconds")
            for value in ("canary", "0", "0.0", "-5", "5s", "nan", "")
        ),
        ("socket_connect_timeout=canary", "a number of seconds"),
        ("health_check_interval=canary", "a number"),
        ("protocol=canary", "2 or 3"),
        ("protocol=9", "2 or 3"),
        ("client_name=can%20ary", "text in ASCII without blanks"),
        ("retry_on_timeout=canary", "true or false"),
        ("socket_keepalive=off", "true or false"),
        ("ssl_check_hostname=off", "true or false"),
        ("ssl_cert_reqs=CERT_NONE", "required, optional or none"),
        ("password=can%0Aary", "text in one line"),
        ("ssl_keyfile=%00canary", "the path of a file"),
        ("ssl_ca_certs=", "the path of a file"),
    ],
)
def test_a_value_that_the_queues_client_cannot_use_is_refused(query: str, complaint: str) -> None:
    sentence = _refuse(read_queue_url, f"rediss://queue/0?{query}")

    assert sentence.startswith(f"has a value of {query.partition('=')[0]} that is not {complaint}")


@pytest.mark.parametrize("name", ["ssl_ca_certs", "ssl_certfile", "ssl_keyfile"])
def test_a_file_for_tls_that_is_missing_is_refused(name: str, tmp_path: Path) -> None:
    file = tmp_path / "canary.pem"
    url = f"rediss://queue?{name}={file}"

    assert _refuse(read_queue_url, url) == (
        f"names a file in {name} that does not exist here, or that Alertcheck may not read."
    )
    assert "does not exist" in _refuse(read_queue_url, f"rediss://queue?{name}={tmp_path}")
    file.touch()
    assert read_queue_url(url) == url


@pytest.mark.parametrize(
    "query",
    [
        "socket_timeout=5&socket_connect_timeout=0.5&health_check_interval=0&protocol=3",
        "client_name=web&socket_keepalive=True&retry_on_timeout=no&ssl_check_hostname=0&ssl_cert_reqs=none",
    ],
)
def test_the_queues_client_accepts_what_is_not_refused(query: str) -> None:
    url = read_queue_url(f"rediss://me:pw@queue/0?{query}")

    assert url.endswith(query)
    assert Redis.from_url(url).connection_pool.make_connection()


@pytest.mark.parametrize("port", ["canary", "", "1e3"])
def test_a_port_of_postgresql_that_is_no_number_is_refused(port: str) -> None:
    assert (
        _refuse(read_database_url, f"postgresql:///alerts?port={port}") == "has a value of port that is not a number."
    )


def test_a_timeout_of_sqlite_that_is_no_number_is_refused() -> None:
    assert "timeout that is not a number of seconds" in _refuse(read_database_url, "sqlite:////x.sqlite?timeout=canary")
    assert make_url(read_database_url("sqlite:////x.sqlite?timeout=5")).query == {"timeout": "5"}


@pytest.mark.parametrize("query", ["canary=1", "mode=ro", "uri=false&mode=ro", "uri=true&canary=1"])
def test_a_parameter_of_sqlite_without_effect_is_refused(query: str) -> None:
    assert _refuse(read_database_url, f"sqlite:///file:/x.sqlite?{query}").startswith("has a parameter after the")
