"""Ends what a member has made in a workspace when they are removed or lowered, and counts that first."""

from dataclasses import dataclass
from datetime import datetime

from webapp.auth.customer_links import count_links_of, end_links_of
from webapp.deliveries.requesting.planned_test_transitions import count_planned_tests_of, end_planned_tests_of
from webapp.models import Account
from webapp.workspaces.invitations import count_invitations_of, end_invitations_of


@dataclass(frozen=True)
class RemovalImpact:
    """How much ends: a number of each kind."""

    customer_links: int
    invitations: int
    planned_tests: int


def assess_removal(account_id: int, workspace_id: int, now: datetime) -> RemovalImpact:
    """Count what ends if a member is removed or lowered."""
    return RemovalImpact(
        customer_links=count_links_of(account_id, workspace_id, now),
        invitations=count_invitations_of(account_id, workspace_id, now),
        planned_tests=count_planned_tests_of(account_id, workspace_id, now),
    )


def end_what_was_made_by(account: Account, now: datetime, workspace_id: int | None = None) -> None:
    """End what an account has made as a member, in the caller's transaction, after the change of its membership.

    workspace_id: where; None for everywhere.
    """
    end_planned_tests_of(account.id, now, workspace_id)
    end_links_of(account, workspace_id)
    end_invitations_of(account.id, workspace_id)
