"""The progress of Test all: how long what was left out has to wait."""

import pytest
from flask import Flask

from tests.factories import NOW, SeededIds, add_delivery, get_destination, on_both_databases, seconds
from webapp.deliveries.badge import Badge
from webapp.extensions import db
from webapp.models import Batch
from webapp.presses.batch_progress import BatchProgress, measure_progress
from webapp.presses.eligibility import RequestResult
from webapp.presses.left_out_destinations import LeftOut

NOTHING = dict.fromkeys(Badge, 0)


def _left_out(*waits: int) -> BatchProgress:
    return BatchProgress("0f", NOTHING, (), [LeftOut(RequestResult.COOLING_DOWN, 1, wait) for wait in waits], NOW)


@pytest.mark.parametrize(
    ("passed", "left"), [(-300, 40), (0, 40), (0.5, 40), (1, 39), (39.5, 1), (40, 0), (41, 0), (86_400, 0)]
)
def test_the_longest_wait_counts_down_to_zero(passed: float, left: int) -> None:
    assert _left_out(0, 40, 12).seconds_left(NOW + seconds(passed)) == left


def test_the_wait_ends_at_one_instant_however_often_it_is_read() -> None:
    ends = [_left_out(0, 40, 12).find_next_press(NOW + seconds(passed)) for passed in (0, 0.5, 39, 60)]

    assert ends == [NOW + seconds(40)] * 4


def test_where_time_does_not_help_there_is_no_wait() -> None:
    assert (_left_out(0).seconds_left(NOW), _left_out().seconds_left(NOW)) == (None, None)


def test_what_is_not_known_has_no_wait() -> None:
    assert BatchProgress("0f", NOTHING, ()).seconds_left(NOW) is None


@on_both_databases
def test_a_batch_is_read_with_what_it_left_out_in_its_own_workspace_only(app: Flask, seeded: SeededIds) -> None:
    with app.app_context():
        add_delivery(get_destination(seeded), batch="0f")
        parts = [{"reason": "disabled", "count": 2, "seconds": 0}]
        db.session.add(Batch(id="0f", workspace_id=seeded.harbor, left_out=parts, created_at=NOW))
        db.session.commit()

        own, foreign = measure_progress(seeded.harbor, "0f"), measure_progress(seeded.clinic, "0f")

    assert (own.total, own.left_out, own.pressed_at) == (1, [LeftOut(RequestResult.DISABLED, 2, 0)], NOW)
    assert (foreign.total, foreign.left_out, foreign.pressed_at) == (0, None, None)
