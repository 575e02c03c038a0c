"""The deliveries of a worker process that wait to be sent, in the order in which they start."""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator, Sized
from typing import TypeVar

from webapp.deliveries.attempts.ready_deliveries import ReadyDelivery


class WaitingDeliveries:
    """Ready deliveries. Their workspaces take turns, and so do the destinations of a workspace.

    The search for the next one passes over busy workspaces and destinations only, however many deliveries wait.
    """

    def __init__(self) -> None:
        self._ids: set[int] = set()
        self._workspaces: Counter[int] = Counter()
        # By workspace and destination. The one whose turn it is comes first.
        self._turns: OrderedDict[int, OrderedDict[int, deque[ReadyDelivery]]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._ids)

    def __contains__(self, delivery_id: int) -> bool:
        return delivery_id in self._ids

    def __iter__(self) -> Iterator[ReadyDelivery]:
        for destinations in self._turns.values():
            for deliveries in destinations.values():
                yield from deliveries

    def count_of_workspace(self, workspace_id: int) -> int:
        return self._workspaces[workspace_id]

    def count_of_destination(self, ready: ReadyDelivery) -> int:
        """Return how many deliveries to this one's destination wait."""
        destinations = self._turns.get(ready.workspace_id, OrderedDict())
        return len(destinations.get(ready.destination_id, ()))

    def add(self, ready: ReadyDelivery) -> None:
        destinations = self._turns.setdefault(ready.workspace_id, OrderedDict())
        destinations.setdefault(ready.destination_id, deque()).append(ready)
        self._ids.add(ready.delivery_id)
        self._workspaces[ready.workspace_id] += 1

    def find(self, has_room: Callable[[int], bool], is_busy: Callable[[int], bool]) -> ReadyDelivery | None:
        """Return the next delivery that can start, without removing it.

        has_room: whether another delivery of this workspace can start. is_busy: whether this destination has to wait.
        """
        for workspace_id, destinations in self._turns.items():
            if has_room(workspace_id):
                for destination_id, deliveries in destinations.items():
                    if not is_busy(destination_id):
                        return deliveries[0]
        return None

    def remove(self, ready: ReadyDelivery) -> None:
        """Remove a delivery that was found. The next turn is that of another workspace and destination."""
        destinations = self._turns[ready.workspace_id]
        destinations[ready.destination_id].popleft()
        _end_turn(destinations, ready.destination_id)
        _end_turn(self._turns, ready.workspace_id)
        self._ids.remove(ready.delivery_id)
        self._workspaces[ready.workspace_id] -= 1
        if not self._workspaces[ready.workspace_id]:
            del self._workspaces[ready.workspace_id]


Waiting = TypeVar("Waiting", bound=Sized)


def _end_turn(turns: OrderedDict[int, Waiting], owner: int) -> None:
    turns.move_to_end(owner)
    if not turns[owner]:
        del turns[owner]
