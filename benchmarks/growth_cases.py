"""The pages and the parts of a worker's maintenance whose cost must not grow with an installation."""

import re
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from http import HTTPStatus

from flask.testing import FlaskClient
from sqlalchemy import func, select

from benchmarks.installation.installation import EMAIL, PASSWORD, Installation
from webapp import deliveries
from webapp.app_state import app_state
from webapp.extensions import db
from webapp.models import AlertDestination, Workspace
from webapp.worker.maintenance import list_tasks

Case = Callable[[], object]

METRICS_TOKEN = "t" * 20
TOKEN = re.compile(r'"X-CSRFToken": "([^"]+)"')
GLOBAL_PAGES = {
    "all workspaces": "/workspaces",
    "what is broken": "/broken",
    "account": "/account",
    "instance": "/instance",
    "instance, workspaces": "/instance/workspaces",
    "instance, workspaces, filtered": "/instance/workspaces?q=other",
    "instance, accounts": "/instance/accounts",
    "instance, audit trail": "/instance/audit",
    "metrics": "/metrics",
    "health": "/healthz",
}
PAGES = {
    "list": "destinations",
    "list, filtered": "destinations?state=failed",
    "list, searched and sorted": "destinations?q=number&order=name",
    "list, second page": "destinations?page=2",
    "state of the list": "state",
    "choose destinations": "choose",
    "history": "history",
    "history, filtered": "history?status=failed&kind=test&channel=slack",
    "history, one code": "history?code=auth_failed",
    "drills": "drills",
    "problems": "problems",
    "preferences of problems": "problems/preferences",
    "evidence": "evidence",
    "audit trail": "audit",
    "audit trail, filtered": "audit?action=destination.changed",
    "members": "members",
    "import": "import",
}


def list_pages(installation: Installation, workspace: str) -> Mapping[str, Case]:
    """Return what loads each page, as the owner, by its name. workspace: the slug of one."""
    client, token = _sign_in(installation)
    with installation.app.app_context():
        first = select(func.min(AlertDestination.id)).join(Workspace, Workspace.id == AlertDestination.workspace_id)
        heavy = db.session.scalar(first.where(Workspace.slug == workspace))
    here = f"/w/{workspace}"
    paths = {name: f"{here}/{path}" for name, path in PAGES.items()}
    one = f"{here}/destinations/{heavy}"
    paths |= {
        "destination": one,
        "status fragment": f"{one}/status",
        "history of a destination": f"{here}/history?destination={heavy}",
        "form of a destination": f"{one}/edit",
        **GLOBAL_PAGES,
    }
    cases: dict[str, Case] = {name: partial(_load, client, path) for name, path in paths.items()}
    for text in ("number 0001", "auth_failed", "K7RF-2M"):
        cases[f"search for {text}"] = partial(_search, client, token, text)
    return cases


def list_passes(installation: Installation, now: datetime) -> Mapping[str, Case]:
    """Return each part of a worker's maintenance by its name: the first run of a new worker."""
    settings = app_state(installation.app).settings
    recovery = deliveries.Recovery(deliveries.WaitTracker())
    names = [_name(task) for task in list_tasks(settings)]

    def run(number: int) -> None:
        list_tasks(settings)[number](now)

    passes: dict[str, Case] = {name: partial(run, number) for number, name in enumerate(names)}
    passes["recovery"] = partial(recovery.run, now, settings)
    return passes


def _name(task: Callable[[datetime], object]) -> str:
    return task.__qualname__.replace(".<locals>", "")


def _sign_in(installation: Installation) -> tuple[FlaskClient, str]:
    client = installation.app.test_client()
    token = _find_token(client.get("/sign-in").text)
    form = {"email": EMAIL, "password": PASSWORD}
    assert client.post("/sign-in", data=form, headers={"X-CSRFToken": token}).status_code == 302, "not signed in"
    return client, _find_token(client.get("/account").text)


def _find_token(page: str) -> str:
    found = TOKEN.search(page)
    assert found, "the page has no token"
    return found[1]


def _load(client: FlaskClient, path: str) -> int:
    response = client.get(path, headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert response.status_code == 200, f"{path}: {response.status}"
    return len(response.data)


def _search(client: FlaskClient, token: str, text: str) -> int:
    """Search. The installations share the limit of a minute, and a search that waits for the next is not the least."""
    form, headers = {"q": text}, {"X-CSRFToken": token}
    while (response := client.post("/search", data=form, headers=headers)).status_code == HTTPStatus.TOO_MANY_REQUESTS:
        time.sleep(10)
    assert response.status_code in (200, 302, 303), f"search: {response.status}"
    return len(response.data)
