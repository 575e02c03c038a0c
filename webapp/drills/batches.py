"""Drill now: requests a drill for every destination that has drills, at the time somebody chooses."""

from datetime import datetime

from sqlalchemy import select

from webapp.auth.access import Visit
from webapp.deliveries import CoolingDown, DestinationDisabled
from webapp.deliveries.due_drills import DrillTaken, DueDrill, OtherTestWaits
from webapp.deliveries.queries import find_newest_drill
from webapp.drills.requesting import request_within_limits
from webapp.extensions import db
from webapp.models import AlertDestination, DrillChoice, DrillNumber
from webapp.sends.batches import BatchResult, request_each
from webapp.sends.candidates import Candidate, list_candidates
from webapp.sends.eligibility import RequestResult, find_refusal, pages_people
from webapp.sends.press_limits import TooManyTestSends
from webapp.sends.request import Refused


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

    def request(destination: AlertDestination, at: datetime, batch: str) -> int:
        return _request_one(visit, destination, at, batch, confirms_paging)

    candidates = [row for row in list_candidates(visit.workspace.id) if row.destination_id in may_page]
    return request_each(visit.workspace.id, candidates, now, find_obstacle, request)


def _request_one(visit: Visit, destination: AlertDestination, now: datetime, batch: str, confirms_paging: bool) -> int:
    """Write one drill and return its id. Raises `Refused`."""
    refusal = find_refusal(visit.role, destination, None, now, confirms_paging and destination.drills_may_page)
    if refusal is not None:
        raise Refused(refusal)
    newest = find_newest_drill(destination)
    drill = DueDrill(DrillNumber.FIRST, destination.drilled_at, newest.id if newest else None)
    try:
        return request_within_limits(visit.workspace, destination, drill, now, visit.account, batch)
    except OtherTestWaits:
        raise Refused(RequestResult.OTHER_TEST_WAITS) from None
    except (CoolingDown, DrillTaken):  # another press or the schedule was faster
        raise Refused(RequestResult.COOLING_DOWN) from None
    except TooManyTestSends as limit:
        raise Refused(limit.reason, limit.seconds, limit.seconds_to_all) from None
    except DestinationDisabled:
        raise Refused(RequestResult.DISABLED) from None
