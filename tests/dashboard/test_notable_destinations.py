"""The destinations that What is broken looks at are the enabled ones that are not quiet."""

import random
from datetime import timedelta

import pytest

from tests.dashboard.random_destinations import add_random_destinations
from tests.factories import NOW, SeededIds, on_both_databases
from webapp.dashboard.notable_destinations import NotableDestination, list_notable
from webapp.dashboard.summaries import DestinationSummary, Tab, list_summaries


@on_both_databases
@pytest.mark.parametrize("seed", range(2))
def test_the_notable_ones_are_the_enabled_ones_that_are_not_quiet(context: None, seeded: SeededIds, seed: int) -> None:
    add_random_destinations(seeded, random.Random(seed), 200)
    since = NOW - timedelta(minutes=2)

    notable = list_notable([seeded.harbor], since)

    enabled = {one for one in list_summaries([seeded.harbor], NOW, since) if one.state is not Tab.DISABLED}
    quiet = {summary for summary in enabled if _is_quiet(summary)}
    assert {summary.state for summary in quiet} == {Tab.NEVER, Tab.SENT}
    assert set(notable) == {_keep_notable(summary) for summary in enabled - quiet}


def _keep_notable(summary: DestinationSummary) -> NotableDestination:
    changed = summary.changed
    assert changed
    return NotableDestination(*summary[:5], changed.is_recent, changed.planned_id is not None)


def _is_quiet(summary: DestinationSummary) -> bool:
    changed = summary.changed
    has_changed = changed is None or changed.is_recent or changed.planned_id is not None
    return summary.state in (Tab.NEVER, Tab.SENT) and not has_changed
