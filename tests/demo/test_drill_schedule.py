"""The demo's drills are on, and none is due on the day on which it begins, in any time zone."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.factories import NOW
from webapp.demo.drill_schedule import plan_drills
from webapp.drills.schedule_slots import next_window, read_schedule
from webapp.models import Workspace


@pytest.mark.parametrize("days", range(7))
def test_the_first_drills_are_due_on_another_day(days: int) -> None:
    begin = NOW + timedelta(days=days)
    schedule = read_schedule(plan_drills(Workspace(id=1), begin))

    window = next_window(schedule, begin - timedelta(days=1))

    assert schedule.started_at == begin
    assert window is not None
    assert window.start > begin + timedelta(hours=20)
    assert window.start.astimezone(ZoneInfo("Europe/Berlin")).hour == 9
