"""The set-up link: who makes it, until when it works, what ends it, and that nobody makes or uses two at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import delete, insert, select

from tests.factories import NOW, on_both_databases
from webapp.audit import COMMAND_LINE
from webapp.auth.accounts import add_account
from webapp.auth.one_time_tokens import hash_token, make_token
from webapp.auth.set_up_links import (
    LIFETIME,
    LinkEnded,
    find_link,
    is_new_installation,
    offer_link,
    record_account,
    replace_link,
    use_link,
)
from webapp.extensions import db
from webapp.models import Account, AuditEvent, SetUp

MOMENT = timedelta(microseconds=1)
LATER = NOW + timedelta(minutes=1)
TOGETHER = 4


def _add_account(email: str = "ann@example.com") -> Account:
    account = add_account(email, "Ann", None, NOW)
    db.session.commit()
    return account


def _offer() -> str:
    offer = offer_link(db.session, NOW)
    assert offer is not None
    assert offer.token is not None
    return offer.token


def _replace() -> str:
    token = replace_link(NOW, COMMAND_LINE)
    db.session.commit()
    return token


def _together(app: Flask, act: Callable[[int], object]) -> list[object]:
    """Do something several times at once, each in a context of its own."""
    barrier = Barrier(TOGETHER)

    def run(number: int) -> object:
        with app.app_context():
            db.session.connection()
            db.session.rollback()
            barrier.wait(60)
            return act(number)

    with ThreadPoolExecutor(TOGETHER) as threads:
        return list(threads.map(run, range(TOGETHER)))


@pytest.mark.usefixtures("context")
class TestOffers:
    def test_a_new_installation_offers_a_link_that_works(self) -> None:
        link = find_link(_offer(), NOW)

        assert link is not None
        assert (link.is_first, link.expires_at) == (True, NOW + LIFETIME)

    def test_an_offer_while_a_link_works_makes_none_and_tells_until_when_it_does(self) -> None:
        token = _offer()
        again = offer_link(db.session, LATER)

        assert again is not None
        assert (again.token, again.expires_at, find_link(token, LATER) is None) == (None, NOW + LIFETIME, False)

    @pytest.mark.parametrize(("after", "is_made"), [(LIFETIME - MOMENT, False), (LIFETIME, True)])
    def test_an_offer_replaces_a_link_whose_hour_is_over(self, after: timedelta, is_made: bool) -> None:
        _offer()
        again = offer_link(db.session, NOW + after)

        assert again is not None
        assert (again.token is not None) == is_made

    def test_an_installation_with_an_account_offers_none(self) -> None:
        _add_account()

        assert (offer_link(db.session, NOW), is_new_installation(db.session)) == (None, False)

    def test_an_installation_whose_accounts_were_all_deleted_offers_none(self) -> None:
        _add_account()
        db.session.execute(delete(Account))
        db.session.commit()

        assert (offer_link(db.session, NOW), is_new_installation(db.session)) == (None, False)

    def test_an_account_that_another_program_added_counts_too(self) -> None:
        facts = {"email": "ann@example.com", "name": "Ann", "is_active": True, "created_at": NOW}
        db.session.execute(insert(Account).values(facts))
        db.session.commit()

        assert offer_link(db.session, NOW) is None

    def test_an_account_that_was_not_kept_does_not_count(self) -> None:
        add_account("ann@example.com", "Ann", None, NOW)
        db.session.rollback()

        assert offer_link(db.session, NOW) is not None

    def test_the_first_account_ends_the_link(self) -> None:
        token = _offer()
        _add_account()

        assert find_link(token, NOW) is None

    def test_a_further_account_ends_no_link(self) -> None:
        _add_account()
        token = _replace()
        _add_account("bob@example.com")

        assert find_link(token, NOW) is not None


@pytest.mark.usefixtures("context")
class TestLinks:
    def test_a_later_link_does_not_make_the_first_account(self) -> None:
        _add_account()
        link = find_link(_replace(), NOW)

        assert link is not None
        assert not link.is_first

    def test_a_new_link_ends_the_earlier_one(self) -> None:
        earlier, newer = _offer(), _replace()

        assert [find_link(token, NOW) is not None for token in (earlier, newer)] == [False, True]

    @pytest.mark.parametrize(("after", "works"), [(LIFETIME - MOMENT, True), (LIFETIME, False)])
    def test_a_link_works_for_an_hour(self, after: timedelta, works: bool) -> None:
        assert (find_link(_replace(), NOW + after) is not None) == works

    @pytest.mark.parametrize(
        "change",
        [
            str.swapcase,
            lambda token: token[:-1],
            lambda token: f"{token}A",
            lambda token: "",
            lambda token: f"{token[:-1]}\0",
            lambda token: f"{token[:-1]}é",
            lambda token: make_token(),
            lambda token: hash_token(token, "set-up link"),
        ],
    )
    def test_another_token_opens_nothing(self, change: Callable[[str], str]) -> None:
        assert find_link(change(_replace()), NOW) is None

    def test_only_a_hash_of_the_token_is_stored(self) -> None:
        token = _replace()
        stored = repr([vars(row) for table in (SetUp, AuditEvent) for row in db.session.scalars(select(table))])

        assert (token in stored, hash_token(token, "set-up link") in stored) == (False, True)

    def test_a_used_link_has_ended(self) -> None:
        token = _replace()
        link = find_link(token, NOW)
        assert link is not None
        use_link(link, NOW)

        assert find_link(token, NOW) is None
        with pytest.raises(LinkEnded):
            use_link(link, NOW)

    def test_a_link_whose_hour_ends_while_its_form_is_filled_in_is_not_used(self) -> None:
        link = find_link(_replace(), NOW)
        assert link is not None

        with pytest.raises(LinkEnded):
            use_link(link, NOW + LIFETIME)

    def test_a_link_for_the_first_account_makes_no_second_one(self) -> None:
        link = find_link(_offer(), NOW)
        assert link is not None
        _add_account()
        _replace()

        with pytest.raises(LinkEnded):
            use_link(link, NOW)


@on_both_databases
def test_of_starts_at_once_one_makes_a_link(app: Flask) -> None:
    offers = _together(app, lambda _: offer_link(db.session, NOW))

    assert len([offer for offer in offers if offer and offer.token]) == 1  # type: ignore[attr-defined]
    assert {offer.expires_at for offer in offers if offer} == {NOW + LIFETIME}  # type: ignore[attr-defined]
    assert None not in offers


@on_both_databases
def test_of_presses_at_once_one_uses_the_link(app: Flask, context: None) -> None:
    link = find_link(_replace(), NOW)
    assert link is not None

    def use(_number: int) -> bool:
        try:
            use_link(link, NOW)
        except LinkEnded:
            return False
        db.session.commit()
        return True

    assert sorted(map(bool, _together(app, use))) == [False] * (TOGETHER - 1) + [True]


@on_both_databases
def test_starts_during_the_first_account_leave_no_link_that_works(app: Flask, context: None) -> None:
    def act(number: int) -> str | None:
        if number:
            offer = offer_link(db.session, NOW)
            return offer.token if offer else None
        _add_account()
        return None

    tokens = [token for token in _together(app, act) if token]

    assert [token for token in tokens if find_link(str(token), NOW)] == []


@on_both_databases
def test_first_accounts_at_once_are_all_kept(app: Flask, context: None) -> None:
    def add(number: int) -> None:
        record_account(db.session, NOW)
        _add_account(f"{number}@example.com")

    _together(app, add)

    assert (len(db.session.scalars(select(Account)).all()), is_new_installation(db.session)) == (TOGETHER, False)
