"""The deliveries that wait in a worker process: in which order they start, and what it costs to find the next one."""

from collections.abc import Iterator

from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery
from webapp.worker.waiting_deliveries import WaitingDeliveries


def _wait(*deliveries: tuple[int, int, int]) -> WaitingDeliveries:
    """Let deliveries wait: (delivery id, destination id, workspace id) of each."""
    waiting = WaitingDeliveries()
    for each in deliveries:
        waiting.add(ReadyDelivery(*each))
    return waiting


def _take_all(waiting: WaitingDeliveries) -> Iterator[int]:
    while ready := waiting.find(lambda _workspace: True, lambda _destination: False):
        waiting.remove(ready)
        yield ready.delivery_id


def test_workspaces_take_turns() -> None:
    waiting = _wait((1, 11, 1), (2, 12, 1), (3, 13, 1), (4, 24, 2), (5, 25, 2), (6, 36, 3))

    assert [*_take_all(waiting)] == [1, 4, 6, 2, 5, 3]


def test_the_destinations_of_a_workspace_take_turns() -> None:
    waiting = _wait((1, 11, 1), (2, 11, 1), (3, 12, 1), (4, 11, 1), (5, 13, 1))

    assert [*_take_all(waiting)] == [1, 3, 5, 2, 4]


def test_a_full_workspace_and_a_busy_destination_are_passed_over() -> None:
    waiting = _wait((1, 11, 1), (2, 22, 2), (3, 23, 2))

    ready = waiting.find(lambda workspace: workspace != 1, lambda destination: destination == 22)

    assert ready == ReadyDelivery(3, 23, 2)
    assert waiting.find(lambda _workspace: False, lambda _destination: False) is None


def test_what_was_found_keeps_waiting_until_it_is_removed() -> None:
    waiting = _wait((1, 11, 1), (2, 11, 1))
    ready = waiting.find(lambda _workspace: True, lambda _destination: False)
    assert ready
    assert len(waiting) == waiting.count_of_workspace(1) == waiting.count_of_destination(ready) == 2

    waiting.remove(ready)

    assert [each.delivery_id for each in waiting] == [2]
    assert ready.delivery_id not in waiting
    assert len(waiting) == waiting.count_of_workspace(1) == waiting.count_of_destination(ready) == 1
    assert [*_take_all(waiting)] == [2]
    assert len(waiting) == waiting.count_of_workspace(1) == waiting.count_of_destination(ready) == 0


def test_finding_the_next_one_looks_at_nothing_that_only_waits() -> None:
    waiting = _wait(*((number, number, 1) for number in range(2000)), *((number, 1, 2) for number in range(2000, 2500)))
    looked_at: list[int] = []

    def has_room(workspace: int) -> bool:
        looked_at.append(workspace)
        return workspace == 2

    def is_busy(destination: int) -> bool:
        looked_at.append(destination)
        return destination == 1

    assert waiting.find(has_room, is_busy) is None
    assert looked_at == [1, 2, 1]
