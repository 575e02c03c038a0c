"""The state of the installation in sentences: its parts, its workers, and the problems with their next steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from webapp import queue
from webapp.app_state import current_settings
from webapp.destinations.search_index import count_unsearchable
from webapp.environment.installed_program import COMMAND
from webapp.extensions import db
from webapp.health.report import OK
from webapp.instance import accounts, workspaces
from webapp.metrics.backlog import Backlog, measure_backlog
from webapp.notices.mail_state import find_mail_trouble, is_mail_needed
from webapp.pings.report import PingReport, report_pings

# Seconds that a test may wait before the page says so: recovery requeues it after ten.
LONG_WAIT = 30.0

_SUBJECTS = {"database": "The database", "queue": "The queue server"}
_UNKNOWN = "unknown"
_DATABASES = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}


@dataclass(frozen=True)
class InstallationProblem:
    """What is wrong, and what to do. is_about_admins: whether the list of workspaces without an admin helps."""

    sentence: str
    next_step: str
    is_about_admins: bool = False


@dataclass(frozen=True)
class Installation:
    """What the page shows. workers: None if the queue server cannot be asked. mail_host: None if mail is not set up."""

    problems: list[InstallationProblem]
    workers: list[queue.Worker] | None
    backlog: Backlog
    database: str
    mail_host: str | None
    public_url: str | None
    accounts: int
    being_deleted: int
    pings: PingReport


def describe_installation(parts: Mapping[str, str], now: datetime) -> Installation:
    """Describe the installation. parts: the readiness report, see `webapp.health.report`."""
    settings, backlog, workers = current_settings(), measure_backlog(now), _list_workers()
    being_deleted = workspaces.count_workspaces_being_deleted()
    pings = report_pings()
    problems = [
        *_list_part_problems(parts),
        *_list_backlog_problems(parts, backlog),
        *_list_ping_problems(pings),
        *_list_data_problems(),
    ]
    return Installation(
        problems=problems,
        workers=workers,
        backlog=backlog,
        database=_DATABASES[db.engine.dialect.name],
        mail_host=settings.outbound.mail.host if settings.outbound.mail else None,
        public_url=settings.links.public_url,
        accounts=accounts.count_accounts(),
        being_deleted=being_deleted,
        pings=pings,
    )


def _list_workers() -> list[queue.Worker] | None:
    try:
        return queue.list_workers()
    except queue.QueueUnavailable:
        return None


def _list_part_problems(parts: Mapping[str, str]) -> Iterator[InstallationProblem]:
    """Describe what the readiness report names: only the part at fault, and no part that nobody has checked."""
    for subject in ("database", "queue"):
        if parts[subject] != OK and not parts[subject].startswith(_UNKNOWN):
            yield _describe_part(_SUBJECTS[subject], parts[subject])
    if parts["worker"] != OK and not parts["worker"].startswith(_UNKNOWN):
        sentence = parts["worker"].rstrip(".")
        yield InstallationProblem(
            f"No test is sent. {sentence[:1].upper()}{sentence[1:]}.",
            f"Check that {COMMAND} worker runs, and read its log.",
        )


def _describe_part(subject: str, predicate: str) -> InstallationProblem:
    """Separate what is wrong from what to do: a colon is between them."""
    cause, _, cure = predicate.rstrip(".").partition(": ")
    cure = cure or f"run {COMMAND} check-settings on the server"
    return InstallationProblem(f"{subject} {cause}.", f"{cure[:1].upper()}{cure[1:]}.")


def _list_backlog_problems(parts: Mapping[str, str], backlog: Backlog) -> Iterator[InstallationProblem]:
    if parts["worker"] == OK and backlog.age > LONG_WAIT:
        yield InstallationProblem(
            f"The oldest test has waited for {backlog.age:.0f} s although a worker runs.",
            "Start another worker, or one with more processes.",
        )


def _list_ping_problems(pings: PingReport) -> Iterator[InstallationProblem]:
    if pings.code is not None:
        yield InstallationProblem(
            f"The last request to the address in ALERTCHECK_PING_URL failed ({pings.code}).",
            "Check that address, and that this server can reach it. Your monitoring raises an alarm without need.",
        )


def _list_data_problems() -> Iterator[InstallationProblem]:
    if trouble := find_mail_trouble(is_needed=is_mail_needed()):
        yield InstallationProblem(trouble.sentence, trouble.next_step)
    if not accounts.has_instance_admin():
        yield InstallationProblem(
            "No account is an instance admin, so nobody sees this page once your session ends.",
            f"Run {COMMAND} make-instance-admin EMAIL on the server.",
        )
    if without := workspaces.count_workspaces_without_admin():
        which = "1 workspace has" if without == 1 else f"{without} workspaces have"
        yield InstallationProblem(f"{which} no admin who can sign in.", "Give each an admin.", is_about_admins=True)
    if unreadable := count_unsearchable(current_settings().cipher).unreadable:
        which = "1 destination" if unreadable == 1 else f"{unreadable} destinations"
        yield InstallationProblem(
            f"The settings of {which} cannot be decrypted, so no alert can be sent there.",
            "Add the key they were saved with to ALERTCHECK_CONFIG_KEYS, or let an admin enter the settings again.",
        )
