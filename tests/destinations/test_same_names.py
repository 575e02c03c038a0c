"""The warning of a name that another destination has."""

import pytest

from tests.factories import NOW, SeededIds, get_account, get_destination, get_workspace, on_both_databases
from webapp.destinations.editing import delete_destination
from webapp.destinations.same_names import WARNING, find_name_warning
from webapp.models import AlertDestination, Workspace


@pytest.fixture
def destination(context: None, seeded: SeededIds) -> AlertDestination:
    return get_destination(seeded)


@pytest.fixture
def workspace(destination: AlertDestination, seeded: SeededIds) -> Workspace:
    return get_workspace(seeded)


@on_both_databases
@pytest.mark.parametrize("name", ["Ticket system", "TICKET SYSTEM"])
def test_a_new_destination_with_a_name_that_is_taken_is_warned_of(workspace: Workspace, name: str) -> None:
    assert find_name_warning(workspace, name, None) == WARNING


def test_case_is_ignored_in_every_alphabet(workspace: Workspace, destination: AlertDestination) -> None:
    destination.name = "Störung"

    assert find_name_warning(workspace, "STÖRUNG", None) == WARNING


def test_a_destination_does_not_take_its_own_name_away(workspace: Workspace, destination: AlertDestination) -> None:
    assert find_name_warning(workspace, destination.name, destination.id) is None


def test_another_name_is_not_warned_of(workspace: Workspace) -> None:
    assert find_name_warning(workspace, "Ticket systems", None) is None


def test_names_of_another_workspace_do_not_count(workspace: Workspace) -> None:
    assert find_name_warning(workspace, "Lab system", None) is None


def test_the_name_of_a_deleted_destination_is_free(
    workspace: Workspace, destination: AlertDestination, seeded: SeededIds
) -> None:
    delete_destination(destination, get_account(seeded), NOW)

    assert find_name_warning(workspace, "Ticket system", None) is None
