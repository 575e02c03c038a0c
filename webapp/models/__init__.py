"""The tables, and the constraints that the database enforces."""

from webapp.models.audit import AuditEvent
from webapp.models.batch import Batch
from webapp.models.delivery import TEST_EVENT, AlertDelivery, DeliveryStatus, Receipt
from webapp.models.demo_visit import DemoVisit
from webapp.models.destination import AlertDestination
from webapp.models.routing import AlertRule, Tenant
from webapp.models.sign_in import KnownClient, SignIn, SignInWindow
from webapp.models.workspace import Account, Member, Role, Workspace

__all__ = [
    "TEST_EVENT",
    "Account",
    "AlertDelivery",
    "AlertDestination",
    "AlertRule",
    "AuditEvent",
    "Batch",
    "DeliveryStatus",
    "DemoVisit",
    "KnownClient",
    "Member",
    "Receipt",
    "Role",
    "SignIn",
    "SignInWindow",
    "Tenant",
    "Workspace",
]
