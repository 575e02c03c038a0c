"""Drill now: requests a drill for every destination that has drills, at the time somebody chooses."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from webapp.auth.access import Visit
from webapp.deliveries import WantedTest
from webapp.deliveries.newest_deliveries import list_newest_drills
from webapp.deliveries.requesting.request_rules import WantedDrill
from webapp.extensions import db
from webapp.models import AlertDestination, DrillChoice, DrillNumber
from webapp.presses.batches import BatchResult, Dated, request_each
from webapp.presses.eligibility import RequestResult, find_refusal, pages_people
from webapp.presses.press import Refused, count_and_write, read_outcome
from webapp.presses.testable_destinations import Candidate, list_candidates


def press_drills(visit: Visit, now: datetime, confirms_paging: bool = False) -> BatchResult:
    """Request and enqueue a first drill for each destination that has drills, least recently tested first.

    The hours of the schedule do not matter, since a person asks. Whatever pages people is left out, unless its drills
    may page and whoever presses confirms it. The 60 seconds and all limits apply, as for Test all.
    """
    have_drills = select(AlertDestination.id, AlertDestination.drills_may_page).where(
        AlertDestination.workspace_id == visit.workspace.id, AlertDestination.drill_choice != DrillChoice.SKIP
    )
    may_page: dict[int, bool] = {row.id: row.drills_may_page for row in db.session.execute(have_drills)}

    def find_obstacle(candidate: Candidate) -> RequestResult | None:
        is_confirmed = confirms_paging and may_page[candidate.destination_id]
        return RequestResult.NOT_CONFIRMED if pages_people(candidate.channel) and not is_confirmed else None

    def request(destinations: Sequence[Dated], batch: str) -> list[int | Refused]:
        return _request_some(visit, destinations, batch, confirms_paging)

    candidates = [row for row in list_candidates(visit.workspace.id) if row.destination_id in may_page]
    return request_each(visit.workspace.id, candidates, now, find_obstacle, request)


def _request_some(
    visit: Visit, destinations: Sequence[Dated], batch: str, confirms_paging: bool
) -> list[int | Refused]:
    """Write a drill for each destination, and return its id or why it was refused."""
    newest = list_newest_drills([destination.id for destination, _ in destinations])
    wanted, refusals = [], []
    for destination, now in destinations:
        confirms = confirms_paging and destination.drills_may_page
        refusals.append(find_refusal(visit.role, destination, None, now, confirms))
        if refusals[-1] is None:
            drill = WantedDrill(DrillNumber.FIRST, destination.drilled_at, newest.get(destination.id))
            wanted.append(WantedTest(destination, now, destination.settings_version, drill=drill))
    outcomes = iter(count_and_write(visit.workspace, wanted, visit.account, batch=batch))
    return [read_outcome(next(outcomes)) if refusal is None else Refused(refusal) for refusal in refusals]
