"""The schedule of drills in the demo's workspaces."""

from datetime import datetime, timedelta

from webapp.models import DrillInterval, DrillSchedule, Workspace


def plan_drills(workspace: Workspace, now: datetime) -> DrillSchedule:
    """Return weekly drills that are on, on the other days of the week.

    On the day of the first look, badges change because of what the visitor does, and of nothing else.
    """
    near = {(now + timedelta(days=number)).isoweekday() for number in (-1, 0, 1)}
    return DrillSchedule(
        workspace_id=workspace.id,
        interval=DrillInterval.WEEKLY,
        weekdays="".join(str(weekday) for weekday in range(1, 8) if weekday not in near),
        from_hour=9,
        to_hour=17,
        time_zone="Europe/Berlin",
        started_at=now,
        updated_at=now,
    )
