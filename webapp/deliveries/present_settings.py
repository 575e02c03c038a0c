"""Whether a message was sent with the present settings of its destination, as conditions for queries."""

from sqlalchemy import ColumnElement, and_, or_

from webapp.models import AlertDelivery, AlertDestination


def is_of_present_settings() -> ColumnElement[bool]:
    """Return the condition that a message was requested with the present settings; never null.

    A message without a version, such as a real alert, counts if the settings were never changed, or if it is newer than
    the newest change of its destination.
    """
    version = AlertDelivery.settings_version
    is_unchanged = or_(AlertDestination.settings_version == 1, AlertDelivery.created_at >= AlertDestination.updated_at)
    return or_(
        and_(version.is_not(None), version == AlertDestination.settings_version), and_(version.is_(None), is_unchanged)
    )


def may_be_of_present_settings() -> ColumnElement[bool]:
    """Return the condition that a message was not requested with earlier settings, as far as is recorded."""
    version = AlertDelivery.settings_version
    return or_(version.is_(None), version == AlertDestination.settings_version)
