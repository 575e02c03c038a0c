"""Whether a message was sent with the present settings of its destination, as conditions for queries."""

from sqlalchemy import ColumnElement, ScalarSelect, and_, or_, select
from sqlalchemy.orm import aliased

from webapp.models import TEST_EVENT, AlertDelivery, AlertDestination
from webapp.models.inline_value import inline
from webapp.models.sorted_equality import SortedEquality

_EARLIER = aliased(AlertDelivery, name="earlier_test")
_AGE = (_EARLIER.created_at, _EARLIER.id)


def is_of_present_settings() -> ColumnElement[bool]:
    """Return the condition that a message was requested with the present settings; never null.

    A message without a version, such as a real alert, counts if the settings were never changed, or if it is newer than
    the newest change of its destination, or than a test send with the present settings.
    """
    version = AlertDelivery.settings_version
    is_unchanged = or_(
        AlertDestination.settings_version == 1,
        AlertDelivery.created_at >= AlertDestination.updated_at,
        _version_of_test_before().is_not_distinct_from(AlertDestination.settings_version),
    )
    return or_(
        and_(version.is_not(None), version == AlertDestination.settings_version), and_(version.is_(None), is_unchanged)
    )


def _version_of_test_before() -> ScalarSelect[int | None]:
    """Return the subquery for the version of the settings of the newest test send before a message."""
    query = select(_EARLIER.settings_version).where(
        _EARLIER.workspace_id == AlertDelivery.workspace_id,
        SortedEquality(_EARLIER.alert_destination_id, AlertDelivery.alert_destination_id),
        _EARLIER.event_type == inline(TEST_EVENT),
        _EARLIER.created_at <= AlertDelivery.created_at,
    )
    newest = query.order_by(*(column.desc() for column in (_EARLIER.alert_destination_id, *_AGE))).limit(inline(1))
    return newest.correlate(AlertDelivery, AlertDestination).scalar_subquery()


def may_be_of_present_settings() -> ColumnElement[bool]:
    """Return the condition that a message was not requested with earlier settings, as far as is recorded."""
    version = AlertDelivery.settings_version
    return or_(version.is_(None), version == AlertDestination.settings_version)
