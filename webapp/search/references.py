"""Finds test sends by their reference, through the index of references."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import joinedload

from webapp.deliveries.queries import NEWEST_FIRST, has_reference
from webapp.extensions import db
from webapp.models import AlertDelivery

# References are random. Two test sends of one account's workspaces rarely share one.
MAX_TESTS = 20


def find_tests(references: Sequence[str], workspace_ids: Sequence[int]) -> Sequence[AlertDelivery]:
    """Return the test sends of these workspaces with one of these references, newest first, with their destination."""
    is_there: ColumnElement[bool] = AlertDelivery.workspace_id.in_(workspace_ids)
    query = select(AlertDelivery).where(has_reference(references), is_there)
    query = query.options(joinedload(AlertDelivery.destination), joinedload(AlertDelivery.requested_by))
    return db.session.scalars(query.order_by(*NEWEST_FIRST).limit(MAX_TESTS)).all()
