"""The first admin of a workspace, whom an instance admin chooses."""

from webapp.audit import Action, Actor, record_instance_event
from webapp.auth.accounts import find_by_email
from webapp.models import Account, Role, Workspace, database_clock
from webapp.workspaces import membership_changes, workspace_changes

# Who is the first admin of a new workspace, by the value of the form's button.
MYSELF, SOMEBODY, NOBODY = "me", "account", "nobody"

NO_ADDRESS = "Enter the email address of an account."
NO_ACCOUNT = (
    "No account has this address, or it is disabled. For a new person, make yourself the admin, and invite them then."
)


def find_active_account(email: str) -> Account | None:
    """Return the account with this address, if it can sign in."""
    account = find_by_email(email)
    return account if account is not None and account.is_active else None


def explain_missing(email: str) -> str:
    """Say why there is no account for what was typed as an address."""
    return NO_ACCOUNT if email.strip() else NO_ADDRESS


def find_first_admin(typed: dict[str, str], myself: Account, errors: dict[str, str]) -> Account | None:
    """Return the account that the form of a new workspace chooses, if any.

    typed: the fields `first` and `email`. errors: gets a sentence for each of them that is wrong.
    """
    match typed["first"]:
        case first if first == MYSELF:
            return myself
        case first if first == NOBODY:
            return None
        case first if first == SOMEBODY:
            found = find_active_account(typed["email"])
            if found is None:
                errors["email"] = explain_missing(typed["email"])
            return found
    errors["first"] = "Choose who the first admin is."
    return None


def make_first_admin(workspace: Workspace, admin: Account, by: Actor) -> None:
    """Make an account an admin, and record it for the installation too. The caller commits. Raises `ChangeRefused`."""
    now = database_clock.now()
    membership_changes.grant_role(workspace, admin, Role.ADMIN, now, by)
    subject = f"{admin.name} (account {admin.id})"
    record = [f"admin of {workspace_changes.describe_workspace(workspace)}"]
    record_instance_event(Action.MEMBER_ADDED, subject, now, by, record)
