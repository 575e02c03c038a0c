"""The audit trail: records who did what, to what, and when. `webapp.audit_trail` lists what is recorded."""

from webapp.audit.actions import Action, Result
from webapp.audit.actors import (
    ACTORS,
    BY_CUSTOMER_LINK,
    COMMAND_LINE,
    CUSTOMER,
    RECIPIENT,
    RETENTION,
    SCHEDULE,
    SINGLE_SIGN_ON,
    STRANGER,
    Actor,
    find_actor,
)
from webapp.audit.recording import (
    describe_change,
    record_account_event,
    record_destination_event,
    record_destination_events,
    record_instance_event,
    record_invitation_event,
    record_member_event,
    record_refused_sign_ins,
    record_workspace_event,
)

__all__ = [
    "ACTORS",
    "BY_CUSTOMER_LINK",
    "COMMAND_LINE",
    "CUSTOMER",
    "RECIPIENT",
    "RETENTION",
    "SCHEDULE",
    "SINGLE_SIGN_ON",
    "STRANGER",
    "Action",
    "Actor",
    "Result",
    "describe_change",
    "find_actor",
    "record_account_event",
    "record_destination_event",
    "record_destination_events",
    "record_instance_event",
    "record_invitation_event",
    "record_member_event",
    "record_refused_sign_ins",
    "record_workspace_event",
]
