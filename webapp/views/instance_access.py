"""What the instance's pages have in common: who may open them, and how often somebody may change something there."""

from webapp.audit import Actor
from webapp.auth.instance_admins import load_instance_admin
from webapp.auth.sessions import current_account
from webapp.extensions import limiter
from webapp.models import Account

# Of one account.
CHANGES = "60 per minute"


def count_change() -> str:
    """Return what counts an account's changes."""
    return f"instance {current_account().id}"


limit_changes = limiter.limit(CHANGES, key_func=count_change)


def load_actor() -> tuple[Account, Actor]:
    """Return the instance admin, also as who acts. Aborts with 404 for everybody else."""
    account = load_instance_admin()
    return account, Actor(account.id, account.name)
