"""The tables, and the constraints that the database enforces."""

from webapp.models.account import Account
from webapp.models.account_mail import (
    AccountLink,
    AccountLinkKind,
    AccountMail,
    AccountMailKind,
    AccountMailStatus,
)
from webapp.models.audit import AuditDeletion, AuditEvent
from webapp.models.batch import Batch
from webapp.models.customer_link import CustomerLink
from webapp.models.delivery import TEST_EVENT, AlertDelivery, DeliveryStatus
from webapp.models.demo_visit import DemoVisit
from webapp.models.destination import AlertDestination
from webapp.models.drill import DrillChoice, DrillInterval, DrillNumber, DrillSchedule
from webapp.models.external_identity import ExternalIdentity
from webapp.models.form_draft import FormDraft
from webapp.models.invitation import Invitation
from webapp.models.member import Member, MemberSource
from webapp.models.notice import (
    Notice,
    NoticeDestination,
    NoticeItem,
    NoticeKind,
    NoticePreference,
    NoticeStatus,
)
from webapp.models.ping import Ping, PingKind
from webapp.models.planned_test import PlanEnd, PlannedTest
from webapp.models.problem import DestinationProblem, ProblemEnd, ProblemKind
from webapp.models.real_alerts import AlertRule, Tenant
from webapp.models.receipt import Receipt, ReceiptSource
from webapp.models.role_permissions import Role
from webapp.models.search_key import SearchKey
from webapp.models.set_up import SetUp
from webapp.models.sign_in import KnownClient, SignIn, SignInWindow
from webapp.models.workspace import UsedSlug, Workspace

__all__ = [
    "TEST_EVENT",
    "Account",
    "AccountLink",
    "AccountLinkKind",
    "AccountMail",
    "AccountMailKind",
    "AccountMailStatus",
    "AlertDelivery",
    "AlertDestination",
    "AlertRule",
    "AuditDeletion",
    "AuditEvent",
    "Batch",
    "CustomerLink",
    "DeliveryStatus",
    "DemoVisit",
    "DestinationProblem",
    "DrillChoice",
    "DrillInterval",
    "DrillNumber",
    "DrillSchedule",
    "ExternalIdentity",
    "FormDraft",
    "Invitation",
    "KnownClient",
    "Member",
    "MemberSource",
    "Notice",
    "NoticeDestination",
    "NoticeItem",
    "NoticeKind",
    "NoticePreference",
    "NoticeStatus",
    "Ping",
    "PingKind",
    "PlanEnd",
    "PlannedTest",
    "ProblemEnd",
    "ProblemKind",
    "Receipt",
    "ReceiptSource",
    "Role",
    "SearchKey",
    "SetUp",
    "SignIn",
    "SignInWindow",
    "Tenant",
    "UsedSlug",
    "Workspace",
]
