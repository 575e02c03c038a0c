"""Who acts: an account, or somebody or something without one."""

from dataclasses import dataclass

from webapp.models import Account


@dataclass(frozen=True)
class Actor:
    """Who acts. account_id: None if not a signed-in account."""

    account_id: int | None
    name: str


COMMAND_LINE = Actor(None, "Command line")
CUSTOMER = Actor(None, "Customer (by link)")
RECIPIENT = Actor(None, "Recipient (by link)")
STRANGER = Actor(None, "Unknown visitor")
RETENTION = Actor(None, "Alertcheck")
SCHEDULE = Actor(None, "Schedule of drills")
SINGLE_SIGN_ON = Actor(None, "Single sign-on")
# Everybody who acts without an account. The audit trail can be filtered by each.
ACTORS = (COMMAND_LINE, CUSTOMER, RECIPIENT, STRANGER, SINGLE_SIGN_ON, RETENTION, SCHEDULE)

# Recorded with a test that was sent by the link that a member made for a customer.
BY_CUSTOMER_LINK = "by the customer's link"


def find_actor(account: Account) -> Actor:
    """Return an account as the one who acts."""
    return Actor(account.id, account.name)
