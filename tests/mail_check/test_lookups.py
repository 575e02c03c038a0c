"""What a name server can do to a query: each answer is named, and none lasts longer than it may."""

from ipaddress import ip_address
from time import monotonic

import pytest

from tests.mail_check.scripted_dns_server import Misbehavior, ScriptedDnsServer, serve_dns
from webapp.mail_check.answers import Answer, Exchanger, LookupStatus
from webapp.mail_check.lookups import Lookups, NameServer

ZONE = """
example.com  TXT    "v=spf1 " "-all"
example.com  MX     20 b.example.com.
example.com  MX     10 A.Example.COM.
a.example.com A     11.22.33.44
alias.example.com CNAME a.example.com.
deep.below.example.com A 11.22.33.45
round.example.com CNAME trip.example.com.
trip.example.com CNAME round.example.com.
odd.example.com TXT "caf\\233\\000"
"""
QUICK = 0.4


def _ask(server: ScriptedDnsServer, query_seconds: float = QUICK, max_queries: int = 100) -> Lookups:
    return Lookups([server.name_server], query_seconds=query_seconds, max_queries=max_queries)


def test_the_strings_of_a_text_record_are_joined() -> None:
    with serve_dns(ZONE) as server:
        assert _ask(server).find_texts("example.com") == Answer(LookupStatus.FOUND, ("v=spf1 -all",))


def test_mail_servers_come_in_order_and_in_lower_case() -> None:
    with serve_dns(ZONE) as server:
        found = _ask(server).find_exchangers("EXAMPLE.com.").values

    assert found == (Exchanger(10, "a.example.com"), Exchanger(20, "b.example.com"))


def test_an_alias_is_followed_and_noted() -> None:
    with serve_dns(ZONE) as server:
        answer = _ask(server).find_addresses("alias.example.com", 4)

    assert answer == Answer(LookupStatus.FOUND, (ip_address("11.22.33.44"),), is_alias=True)


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("a.example.com", LookupStatus.EMPTY),
        ("below.example.com", LookupStatus.EMPTY),
        ("missing.example.com", LookupStatus.NO_DOMAIN),
        ("round.example.com", LookupStatus.UNUSABLE),
        ("x" * 64 + ".example.com", LookupStatus.UNUSABLE),
        ("a..example.com", LookupStatus.UNUSABLE),
    ],
)
def test_a_name_without_texts_has_a_status(name: str, status: LookupStatus) -> None:
    with serve_dns(ZONE) as server:
        assert _ask(server).find_texts(name) == Answer(status)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("misbehavior", "status"),
    [
        (Misbehavior.SERVFAIL, LookupStatus.SERVER_FAILURE),
        (Misbehavior.REFUSED, LookupStatus.REFUSED),
        (Misbehavior.SILENCE, LookupStatus.TIMEOUT),
        (Misbehavior.GARBAGE, LookupStatus.TIMEOUT),
        (Misbehavior.GARBAGE_ON_TCP, LookupStatus.UNUSABLE),
        (Misbehavior.WRONG_ID, LookupStatus.TIMEOUT),
        (Misbehavior.OTHER_QUESTION, LookupStatus.TIMEOUT),
        (Misbehavior.TRUNCATED_ON_TCP_TOO, LookupStatus.UNUSABLE),
        (Misbehavior.TRUNCATED, LookupStatus.FOUND),
        (Misbehavior.WRONG_ID_FIRST, LookupStatus.FOUND),
    ],
)
def test_a_misbehaving_name_server_has_a_status_in_time(misbehavior: Misbehavior, status: LookupStatus) -> None:
    with serve_dns(ZONE, {"example.com": misbehavior}) as server:
        began = monotonic()
        answer = _ask(server).find_texts("example.com")
        took = monotonic() - began

    assert answer.status is status
    assert took < QUICK + 0.5


def test_a_truncated_answer_is_asked_for_again_over_tcp() -> None:
    with serve_dns(ZONE, {"example.com": Misbehavior.TRUNCATED}) as server:
        answer = _ask(server).find_texts("example.com")

    assert answer.values == ("v=spf1 -all",)
    assert server.queries == [("example.com TXT", "udp"), ("example.com TXT", "tcp")]


def test_odd_bytes_are_kept_as_characters() -> None:
    with serve_dns(ZONE) as server:
        assert _ask(server).find_texts("odd.example.com").values == ("caf\xe9\x00",)


def test_a_record_behind_hundreds_of_others_is_found() -> None:
    zone = "\n".join(f'example.com TXT "token={number}"' for number in range(1000))
    with serve_dns(f'{zone}\nexample.com TXT "v=spf1 -all"', {"example.com": Misbehavior.TRUNCATED}) as server:
        texts = _ask(server, 2.0).find_texts("example.com").values

    assert len(texts) == 1001
    assert "v=spf1 -all" in texts


def test_each_question_is_asked_once() -> None:
    with serve_dns(ZONE) as server:
        lookups = _ask(server)
        lookups.find_texts("example.com")
        lookups.find_texts("Example.com.")

    assert server.queries == [("example.com TXT", "udp")]


def test_no_more_queries_are_made_than_allowed() -> None:
    with serve_dns(ZONE) as server:
        lookups = _ask(server, max_queries=1)
        lookups.find_texts("example.com")

        assert lookups.find_exchangers("example.com").status is LookupStatus.NOT_ASKED
    assert len(server.queries) == 1


def test_all_queries_together_end_in_time() -> None:
    silent = {"example.com": Misbehavior.SILENCE}
    with serve_dns(ZONE, silent) as server:
        lookups = Lookups([server.name_server], check_seconds=0.7, query_seconds=0.4)
        began = monotonic()
        statuses = [
            lookups.find_texts("example.com").status,
            lookups.find_exchangers("example.com").status,
            lookups.find_addresses("example.com", 4).status,
        ]
        took = monotonic() - began

    assert statuses == [LookupStatus.TIMEOUT, LookupStatus.TIMEOUT, LookupStatus.NOT_ASKED]
    assert took < 1.3


@pytest.mark.slow
def test_a_silent_name_server_does_not_keep_the_next_one_from_answering() -> None:
    with serve_dns(ZONE, {"example.com": Misbehavior.SILENCE}) as silent, serve_dns(ZONE) as server:
        lookups = Lookups([silent.name_server, server.name_server])

        assert lookups.find_texts("example.com").status is LookupStatus.FOUND


def test_without_a_name_server_nothing_is_found() -> None:
    assert Lookups([]).find_texts("example.com").status is LookupStatus.TIMEOUT


def test_a_port_where_nothing_listens_is_a_timeout() -> None:
    with serve_dns(ZONE) as server:
        port = server.port

    assert Lookups([NameServer("127.0.0.1", port)], query_seconds=QUICK).find_texts("example.com").status is (
        LookupStatus.TIMEOUT
    )
