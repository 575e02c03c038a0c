"""The actions that the audit trail records, and their results."""

from enum import StrEnum


class Action(StrEnum):
    """The recorded actions, in the words of the page."""

    SIGNED_IN = "signed in"
    SIGNED_OUT = "signed out"
    SIGN_IN_TRIED = "tried to sign in"
    PASSWORD_CHANGED = "changed the password"  # noqa: S105
    TEST_REQUESTED = "sent a test"
    DRILL_REQUESTED = "sent a drill"
    TEST_PLANNED = "planned a test"
    PLAN_CANCELED = "canceled the planned test"
    PLAN_ENDED = "was to send a planned test"
    TEST_SEEN = "saw a test arrive"
    TEST_MISSED = "saw no test arrive"
    TEST_CONFIRMED = "recorded that the customer saw a test arrive"
    LINK_MADE = "made a link for the customer"
    LINK_REVOKED = "revoked a link for the customer"
    ADDED = "added"
    IMPORTED = "imported"
    CHANGED = "changed"
    ENABLED = "enabled"
    DISABLED = "disabled"
    DELETED = "deleted"
    DRILLS_CHANGED = "changed the drills"
    NOTICE_DESTINATION_CHANGED = "changed which destination is told about problems"
    WORKSPACE_ADDED = "added the workspace"
    MEMBER_ADDED = "added the member"
    MEMBER_REMOVED = "removed the member"
    ROLE_CHANGED = "changed the role"
    INVITED = "invited"
    INVITATION_RENEWED = "renewed the invitation"
    INVITATION_REVOKED = "revoked the invitation"
    INVITATION_ACCEPTED = "accepted the invitation"
    PASSWORD_SET = "set the password"  # noqa: S105
    ACCOUNT_ENABLED = "enabled the account"
    ACCOUNT_DISABLED = "disabled the account"
    SESSIONS_ENDED = "ended all sessions"
    SESSION_ENDED = "ended a session"
    OTHER_SESSIONS_ENDED = "ended all other sessions"
    RESET_REQUESTED = "requested a link for a new password"
    RESET_LINK_MADE = "made a link for a new password"
    PASSWORD_RESET = "set a new password by a link"  # noqa: S105
    ADDRESS_CONFIRMED = "confirmed the email address"
    WORKSPACE_RENAMED = "renamed the workspace"
    WORKSPACE_DELETED = "deleted the workspace"
    INSTANCE_ADMIN_MADE = "made the account an instance admin"
    INSTANCE_ADMIN_REVOKED = "ended the rights of an instance admin"
    SUPPORT_EVERYWHERE_GRANTED = "granted support in every workspace"
    SUPPORT_EVERYWHERE_ENDED = "ended support in every workspace"
    SET_UP_LINK_MADE = "made a set-up link"
    SET_UP_LINK_USED = "used the set-up link"
    KEYS_ROTATED = "encrypted the settings anew"
    DEMO_RESET = "reset the demo"
    EVENTS_DELETED = "deleted old audit events"
    ACCOUNT_ADDED = "added the account"
    ACCOUNT_LINKED = "linked the account to single sign-on"
    ACCOUNT_UNLINKED = "ended the account's single sign-on"


class Result(StrEnum):
    """The result of an action."""

    DONE = "done"
    REFUSED = "refused"
