"""What the database itself refuses, and what is deleted with a row."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import delete, select, text
from sqlalchemy.exc import IntegrityError

from tests.factories import (
    NOW,
    SeededIds,
    add_delivery,
    add_real_alert,
    get_account,
    get_destination,
    get_workspace,
    on_both_databases,
    seconds,
)
from webapp.auth.accounts import add_account
from webapp.extensions import db
from webapp.models import (
    TEST_EVENT,
    Account,
    AlertDelivery,
    AlertDestination,
    AlertRule,
    DeliveryStatus,
    Member,
    Role,
    Tenant,
    Workspace,
)
from webapp.workspaces.workspace_changes import add_workspace

# SQLite does not name the foreign key that is violated.
FOREIGN_KEY = "(?i)foreign key constraint"


def refused(rule: str) -> "pytest.RaisesExc[IntegrityError]":
    """Expect that the database refuses because of this rule."""
    return pytest.raises(IntegrityError, match=rule)


def overwrite(delivery: AlertDelivery, assignment: str) -> None:
    """Change a row without the models, as a mistake in a database console would."""
    db.session.execute(text(f"UPDATE alert_deliveries SET {assignment} WHERE id = {delivery.id}"))


def list_deliveries() -> list[int]:
    return list(db.session.scalars(select(AlertDelivery.id).order_by(AlertDelivery.id)))


def get_foreign_destination(seeded: SeededIds) -> AlertDestination:
    return db.session.get_one(AlertDestination, seeded.foreign_destination)


NEEDED_BY: dict[DeliveryStatus, dict[str, Any]] = {
    DeliveryStatus.DEFERRED: {"send_after": NOW},
    DeliveryStatus.SENT: {"sent_at": NOW},
    DeliveryStatus.FAILED: {"last_error_code": "not_found"},
}


@on_both_databases
@pytest.mark.parametrize("status", DeliveryStatus)
def test_every_status_is_accepted_with_the_values_it_needs(
    context: None, seeded: SeededIds, status: DeliveryStatus
) -> None:
    delivery = add_delivery(get_destination(seeded), status=status, **NEEDED_BY.get(status, {}))

    assert db.session.get_one(AlertDelivery, delivery.id).status is status


@on_both_databases
def test_an_unknown_status_is_refused(context: None, seeded: SeededIds) -> None:
    delivery = add_real_alert(get_destination(seeded))

    with refused("ck_alert_deliveries_status_known"):
        overwrite(delivery, "status = 'lost'")


@on_both_databases
def test_a_sent_delivery_without_its_time_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("ck_alert_deliveries_sent_has_time"):
        add_delivery(get_destination(seeded), status=DeliveryStatus.SENT)


@on_both_databases
def test_a_failed_delivery_without_a_code_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("ck_alert_deliveries_failed_has_code"):
        add_delivery(get_destination(seeded), status=DeliveryStatus.FAILED)


@on_both_databases
def test_a_deferred_delivery_without_the_time_of_its_next_attempt_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("ck_alert_deliveries_deferred_has_time"):
        add_delivery(get_destination(seeded), status=DeliveryStatus.DEFERRED)


@on_both_databases
def test_a_negative_attempt_count_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("ck_alert_deliveries_attempt_count_not_negative"):
        add_delivery(get_destination(seeded), attempt_count=-1)


@on_both_databases
@pytest.mark.parametrize("missing", ["tenant_id", "alert_rule_id"])
def test_a_real_alert_without_a_tenant_or_a_rule_is_refused(context: None, seeded: SeededIds, missing: str) -> None:
    with refused("ck_alert_deliveries_test_send_or_real_alert"):
        add_real_alert(get_destination(seeded), **{missing: None})


@on_both_databases
def test_a_delivery_without_tenant_and_rule_must_be_a_test_send(context: None, seeded: SeededIds) -> None:
    with refused("ck_alert_deliveries_test_send_or_real_alert"):
        add_delivery(get_destination(seeded), event_type="heartbeat.missing")


@on_both_databases
@pytest.mark.parametrize("absent", [{"tenant_id": None}, {"alert_rule_id": None}, {}])
def test_a_test_send_with_a_tenant_or_a_rule_or_both_is_refused(
    context: None, seeded: SeededIds, absent: dict[str, None]
) -> None:
    with refused("ck_alert_deliveries_test_send_or_real_alert"):
        add_real_alert(get_destination(seeded), event_type=TEST_EVENT, **absent)


@on_both_databases
def test_a_delivery_to_a_destination_of_another_workspace_is_refused(context: None, seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded))

    with refused(FOREIGN_KEY):
        overwrite(delivery, f"alert_destination_id = {seeded.foreign_destination}")


@on_both_databases
@pytest.mark.parametrize("owner", ["tenant_id", "alert_rule_id"])
def test_a_real_alert_with_a_tenant_or_a_rule_of_another_workspace_is_refused(
    context: None, seeded: SeededIds, owner: str
) -> None:
    foreign = add_real_alert(get_foreign_destination(seeded))

    with refused(FOREIGN_KEY):
        add_real_alert(get_destination(seeded), **{owner: getattr(foreign, owner)})


@on_both_databases
def test_a_delivery_cannot_move_to_another_workspace(context: None, seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded))

    with refused(FOREIGN_KEY):
        overwrite(delivery, f"workspace_id = {seeded.clinic}")


@on_both_databases
def test_a_destination_with_deliveries_cannot_move_to_another_workspace(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded))

    with refused(FOREIGN_KEY):
        db.session.execute(
            text(f"UPDATE alert_destinations SET workspace_id = {seeded.clinic} WHERE id = {seeded.destination}")
        )


@on_both_databases
@pytest.mark.parametrize("column", ["workspace_id", "alert_destination_id"])
def test_a_delivery_without_a_workspace_or_a_destination_is_refused(
    context: None, seeded: SeededIds, column: str
) -> None:
    delivery = add_delivery(get_destination(seeded))

    with refused(f"(?i){column}.*not.null|not.null.*{column}"):
        overwrite(delivery, f"{column} = NULL")


@on_both_databases
def test_a_delivery_requested_by_an_unknown_account_is_refused(context: None, seeded: SeededIds) -> None:
    with refused(FOREIGN_KEY):
        add_delivery(get_destination(seeded), requested_by_id=10_000)


@on_both_databases
def test_an_unknown_role_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("ck_members_role_known"):
        db.session.execute(text("UPDATE members SET role = 'owner'"))


@on_both_databases
def test_a_second_role_in_the_same_workspace_is_refused(context: None, seeded: SeededIds) -> None:
    db.session.add(Member(workspace_id=seeded.harbor, account_id=seeded.admin, role=Role.VIEWER))

    with refused("(?i)pk_members|members.workspace_id, members.account_id"):
        db.session.flush()


@on_both_databases
def test_a_second_account_with_the_same_address_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("uq_accounts_email|accounts.email"):
        add_account("admin@example.com", "Another", None, NOW)


@on_both_databases
def test_a_second_workspace_with_the_same_slug_is_refused(context: None, seeded: SeededIds) -> None:
    with refused("uq_workspaces_slug|workspaces.slug"):
        add_workspace("harbor", "Another harbor", NOW)


@on_both_databases
@pytest.mark.parametrize(("owner", "column"), [(Tenant, "tenant_id"), (AlertRule, "alert_rule_id")])
def test_deleting_a_tenant_or_a_rule_deletes_its_real_deliveries_and_nothing_else(
    context: None, seeded: SeededIds, owner: type[Tenant | AlertRule], column: str
) -> None:
    test_send = add_delivery(get_destination(seeded))
    of_the_owner = add_real_alert(get_destination(seeded))
    of_another = add_real_alert(get_destination(seeded))

    db.session.execute(delete(owner).where(owner.id == getattr(of_the_owner, column)))

    assert list_deliveries() == [test_send.id, of_another.id]


@on_both_databases
@pytest.mark.parametrize("add", [add_delivery, add_real_alert])
def test_a_destination_with_deliveries_cannot_be_removed(
    context: None, seeded: SeededIds, add: Callable[[AlertDestination], AlertDelivery]
) -> None:
    add(get_destination(seeded))

    with refused(FOREIGN_KEY):
        db.session.execute(delete(AlertDestination).where(AlertDestination.id == seeded.destination))


@on_both_databases
def test_deleting_an_account_keeps_the_deliveries_it_requested(context: None, seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), requested_by_id=seeded.admin)

    db.session.execute(delete(Account).where(Account.id == seeded.admin))
    db.session.refresh(delivery)

    assert delivery.requested_by_id is None


@on_both_databases
def test_deleting_an_account_deletes_its_memberships_and_no_other(context: None, seeded: SeededIds) -> None:
    db.session.execute(delete(Account).where(Account.id == seeded.admin))

    members = db.session.scalars(select(Member.account_id).order_by(Member.account_id))
    assert list(members) == [seeded.support, seeded.viewer, seeded.stranger]


@on_both_databases
def test_deleting_a_workspace_deletes_everything_it_owns_and_nothing_else(context: None, seeded: SeededIds) -> None:
    add_delivery(get_destination(seeded))
    add_real_alert(get_destination(seeded))
    foreign = [add_delivery(get_foreign_destination(seeded)).id, add_real_alert(get_foreign_destination(seeded)).id]

    db.session.execute(delete(Workspace).where(Workspace.id == seeded.harbor))

    assert list_deliveries() == foreign
    assert list(db.session.scalars(select(AlertDestination.id))) == [seeded.foreign_destination]


def add_tenant(seeded: SeededIds) -> Tenant:
    tenant = Tenant(workspace_id=seeded.harbor, name="A customer", created_at=NOW)
    db.session.add(tenant)
    db.session.commit()
    return tenant


def add_rule(seeded: SeededIds) -> AlertRule:
    rule = AlertRule(workspace_id=seeded.harbor, name="A rule", event_type="heartbeat.missing", created_at=NOW)
    db.session.add(rule)
    db.session.commit()
    return rule


def add_bare_destination(seeded: SeededIds) -> AlertDestination:
    destination = AlertDestination(
        workspace_id=seeded.harbor, name="A room", type="webhook", config="", created_at=NOW, updated_at=NOW
    )
    db.session.add(destination)
    db.session.commit()
    return destination


@on_both_databases
@pytest.mark.parametrize(
    "add",
    [
        pytest.param(lambda seeded: add_delivery(get_destination(seeded)), id="delivery"),
        pytest.param(add_bare_destination, id="destination"),
        pytest.param(add_tenant, id="tenant"),
        pytest.param(add_rule, id="rule"),
        pytest.param(lambda seeded: add_account("late@example.com", "Late", None, NOW), id="account"),
        pytest.param(lambda seeded: add_workspace("late", "Late", NOW), id="workspace"),
    ],
)
def test_the_id_of_a_deleted_row_is_never_reused(
    context: None, seeded: SeededIds, add: Callable[[SeededIds], Any]
) -> None:
    deleted = add(seeded)
    number = deleted.id
    db.session.delete(deleted)
    db.session.commit()

    assert add(seeded).id > number


@on_both_databases
def test_a_delivery_is_stored_without_loss(context: None, seeded: SeededIds) -> None:
    facts = {
        "status": DeliveryStatus.FAILED,
        "send_after": NOW + seconds(0.000001),
        "attempt_count": 3,
        "attempt_started_at": NOW,
        "last_error_code": "not_found",
        "last_error_message": "Straße 1 antwortete: 404 – 通知なし",
        "answer_status": 404,
        "answer_seconds": 0.125,
        "requested_by_id": seeded.admin,
        "payload": {"reference": "K7QF", "nested": [{"null": None, "text": "🔔"}, 2**53 + 1, 0.5, True]},
    }
    delivery = add_delivery(get_destination(seeded), **facts)
    db.session.refresh(delivery)

    assert {name: getattr(delivery, name) for name in facts} == facts


def test_a_delivery_has_its_destination_and_its_requester(context: None, seeded: SeededIds) -> None:
    delivery = add_delivery(get_destination(seeded), requested_by_id=seeded.admin)

    assert (delivery.destination, delivery.requested_by) == (get_destination(seeded), get_account(seeded))


def test_a_destination_starts_enabled_with_its_first_settings(context: None, seeded: SeededIds) -> None:
    destination = add_bare_destination(seeded)

    assert (destination.is_enabled, destination.settings_version, destination.deleted_at) == (True, 1, None)


def test_settings_are_encrypted_for_their_workspace_and_row(context: None, seeded: SeededIds) -> None:
    destination = get_destination(seeded)

    assert destination.encryption_context == f"workspace {get_workspace(seeded).id} destination {seeded.destination}"


@pytest.mark.parametrize(
    ("role", "may_test", "may_edit"),
    [(Role.ADMIN, True, True), (Role.SUPPORT, True, False), (Role.VIEWER, False, False)],
)
def test_only_admins_edit_and_only_admins_and_support_test(role: Role, may_test: bool, may_edit: bool) -> None:
    assert (role.may_test, role.may_edit) == (may_test, may_edit)
