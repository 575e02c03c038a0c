"""A destination that is told about the problems of the others: the seeded webhook, which a real receiver answers."""

from sqlalchemy import select

from tests.channels.valid_settings import VALID_SETTINGS
from tests.factories import NOW, get_account, get_workspace
from tests.notices.conftest import Installation
from webapp.app_state import app_state, current_settings
from webapp.destinations.editing import add_destination
from webapp.extensions import db
from webapp.models import AlertDestination, Notice
from webapp.notices.chosen_destination import choose_destination
from webapp.notices.chosen_destination_health import Obstacle
from webapp.notices.destination_sending import list_waiting_notices, send_notice
from webapp.notices.worker_rounds import NoticeRounds


def add(installation: Installation, channel: str, name: str) -> int:
    """Add a destination of a channel, and return its id."""
    cipher = app_state(installation.app).settings.cipher
    with installation.app.app_context():
        harbor, admin = get_workspace(installation.seeded), get_account(installation.seeded)
        return add_destination(harbor, admin, channel, name, VALID_SETTINGS[channel], cipher, NOW).id


def choose(installation: Installation, destination_id: int | None) -> Obstacle | None:
    """Let the admin choose the destination that is told, and return why it was refused, or None."""
    with installation.app.app_context():
        destination = db.session.get_one(AlertDestination, destination_id) if destination_id else None
        workspace, admin = get_workspace(installation.seeded), get_account(installation.seeded)
        return choose_destination(workspace, admin, destination, installation.clock.at)


def plan(installation: Installation) -> list[int]:
    """Do one round of a worker, and return the notices that wait for their destination."""
    with installation.app.app_context():
        NoticeRounds(clock=lambda: 0.0).run(installation.clock.at)
        return list(list_waiting_notices())


def send(installation: Installation, *notice_ids: int) -> None:
    """Send these notices, as a thread of a worker does."""
    with installation.app.app_context():
        for notice_id in notice_ids:
            send_notice(notice_id, current_settings())


def tell(installation: Installation) -> None:
    """Do one round of a worker and send what waits."""
    send(installation, *plan(installation))


def read_notices(installation: Installation) -> list[tuple[str, str | None]]:
    """Return the status and the code of each notice to a destination, oldest first."""
    query = select(Notice).where(Notice.alert_destination_id.is_not(None)).order_by(Notice.id)
    with installation.app.app_context():
        return [(notice.status.value, notice.error_code) for notice in db.session.scalars(query)]
