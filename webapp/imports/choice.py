"""What somebody chose of a dry run, and typed to complete it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from webapp.imports.dry_run import DryRunRow, RowState, Typed

NOTHING_CHOSEN = "Nothing was added. Tick the destinations to add, or enter what is missing."
INCOMPLETE = "Nothing was added yet. Correct what is marked below, then press Add again."


@dataclass(frozen=True)
class Choice:
    """rows: the numbers that were ticked. duplicates: those that were ticked although they are duplicates.

    typed: as `Judge.judge` takes it. Secret.
    """

    rows: frozenset[int]
    duplicates: frozenset[int]
    typed: Typed = field(repr=False)

    @classmethod
    def read(cls, rows: Iterable[int], duplicates: Iterable[int], typed: Typed) -> "Choice":
        """Return a choice. A row in which something was typed is chosen too."""
        again = frozenset(duplicates)
        chosen = frozenset(rows) | {number for number, values in typed.items() if any(map(str.strip, values.values()))}
        return cls(chosen | again, again, {number: typed.get(number, {}) for number in chosen | again})

    def pick(self, rows: Sequence[DryRunRow]) -> list[DryRunRow]:
        """Return the chosen rows."""
        return [row for row in rows if row.number in self.rows]

    def find_problem(self, rows: Sequence[DryRunRow]) -> str | None:
        """Return why the chosen rows cannot be added as they were judged; None if they can."""
        picked = self.pick(rows)
        if not picked:
            return NOTHING_CHOSEN
        return None if all(map(self._is_complete, picked)) else INCOMPLETE

    def _is_complete(self, row: DryRunRow) -> bool:
        is_wanted = row.state is RowState.DUPLICATE and row.number in self.duplicates
        return row.state is RowState.READY or is_wanted
