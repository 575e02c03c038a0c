"""Draws random sequences of steps, some without and some with races, for a model run."""

from dataclasses import dataclass
from itertools import chain

from hypothesis import strategies as st


@dataclass(frozen=True)
class Step:
    """One event. value: the index of the object it happens to, the latest first; for a wait, its seconds.

    interruptions: the steps that happen after it has read the database and before it changes anything.
    """

    name: str
    value: float = 0
    interruptions: tuple["Step", ...] = ()

    def __repr__(self) -> str:
        return f"{self.name} {self.value:g}" + (f" {list(self.interruptions)}" if self.interruptions else "")


Steps = tuple[Step, ...]


def _read(words: str) -> Steps:
    """Read steps in the form in which a failed run prints them: `press 0, wait 61`."""
    return tuple(Step(name, float(value)) for name, value in (step.rsplit(" ", 1) for step in words.split(", ")))


def _one_of(text: str) -> st.SearchStrategy[Steps]:
    return st.sampled_from([_read(line.strip()) for line in text.strip().splitlines()])


def _follow(first: st.SearchStrategy[Steps], then: st.SearchStrategy[Steps]) -> st.SearchStrategy[Steps]:
    return st.builds(lambda one, other: (*one, *other), first, then)


WAITS = _one_of("""
    wait 1
    wait 4
    wait 11
    wait 20
    wait 61
    wait 125
""")

SIMPLE_SEQUENCES = _one_of("""
    wait 61, press 0, enqueue 0, job 0, accept 0, record 0
    wait 61, press 1, enqueue 0, job 0, refuse 0, record 0
    wait 61, press 0, enqueue 0, job 0, silent 0, record 0
    wait 61, press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, accept 0, record 0
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, busy 0, record 0, wait 20, recover 0
    wait 61, press 0, enqueue 0, disable 0, press 0, job 0, enable 0
    wait 61, press 1, enqueue 0, edit 1, job 0
    wait 61, press 0, enqueue 0, delete 0, job 0
    press 0, fail unqueued 0
    press 1, wait 11, recover 0, job 0, accept 0, record 0
    press 0, enqueue 0, job 0, die 0, recover 1, wait 20, recover 1
    press 1, recover 0
    job again 0
    enable 0, enable 1
    view page 0
    forget 0
    lose record 0
""")

PRESSES_WITH_JOBS = _one_of("""
    enable 0, wait 61, press 0, enqueue 0
    enable 1, wait 61, press 1, enqueue 0, enqueue 0
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0
    wait 61, press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0
    wait 61, press 1, enqueue 0, wait 50, job 0, wait 11, press 1, busy 0, record 0, wait 4, recover 0
""")

RACING_JOBS = _one_of("""
    job 0, accept 0
    job 0, accept 0, wait 20, record 0
    job 0, busy 0, record 0, wait 4, recover 0, job 0, record again 0
    job 0, busy 0, record 0, wait 4, recover 1, job 0, record again 0, accept 0
    job 0, busy 0, wait 4, recover 1, record 0, wait 4, recover 1
    job 0, recover 0, wait 20, recover 0, accept 0, record 0
    job 0, wait 61, press 0
    job 0, silent 0, record 1
    job 0, refuse 0, die 0
    job 0, die 0
    disable 0, press 0, job 0, enable 0
    edit 0, job 0
    delete 0, job 0
    job again 1, record 0
    job 0, record again 0
    record again 0, accept 0, record 0
    job 0, fail unqueued 0
    recover 0
    view page 0
    forget 0
""")

DURING_A_CLAIM = _one_of("""
    rival 0
    rival 0, accept 0, record 0
    rival 0, busy 0, record 0, wait 4, recover 1
    rival 0, fail unqueued 0
    fail unqueued 0
    wait 61, press 0
    wait 61, press 1
    wait 125, recover 1
    wait 125, view page 0, forget 0
    wait 11, recover 0
    accept 0, record 0
    disable 0
    disable 1, enable 1
    edit 0
    edit 1
    delete 0
""")

THREE_ATTEMPTS = _follow(
    _one_of(
        "enable 0, wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, busy 0, record 0"
    ),
    _one_of("wait 20, recover 0, job 0, busy 0, record 0, wait 61, recover 0"),
)

DESTINATION_CHANGES = _one_of("""
    enable 0, wait 61, press 0, enqueue 0, edit 0
    enable 0, wait 61, press 0, enqueue 0, disable 0
    enable 1, wait 61, press 1, enqueue 0, edit 1
    enable 1, wait 61, press 1, enqueue 0, delete 1
""")

RECORDED_TWICE = _one_of("""
    enable 0, wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, record again 0, accept 0
    enable 1, wait 61, press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 1, job 0, record again 0, refuse 0
    enable 0, wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, record again 0, silent 0
""")

BEFORE_RECOVERY = _one_of("""
    enable 0, wait 61, press 0, enqueue 0, wait 11
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4
    wait 61, press 1, enqueue 0, job 0, accept 0, recover 0, wait 20
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 125
""")

BEFORE_THE_CLAIM_COMMITS = _one_of("""
    rival 0, busy 0, record 0, wait 4, recover 1
    disable 0, disable 1
    edit 0, edit 1
    delete 1, delete 1
""")

DURING_A_PRESS = _one_of("""
    disable 0
    delete 0
    edit 0
    press 0
""")

DURING_A_RECOVERY = _one_of("""
    recover 1
    job 0
    job 0, accept 0, record 0
    record 0
    fail unqueued 0
    wait 61, press 0
    view page 0
""")


def _interrupt(names: tuple[str, ...], interruptions: st.SearchStrategy[Steps]) -> st.SearchStrategy[Steps]:
    """Draw one of these steps, most often for the latest object, with other steps that interrupt it."""
    step = st.builds(Step, st.sampled_from(names), st.sampled_from((0, 0, 0, 1)), interruptions)
    return step.map(lambda taken: (taken,))


def _merge(one: Steps, other: Steps, turns: list[bool]) -> Steps:
    """Merge two sequences, each in its own order. turns: which of them goes next."""
    remaining = (list(one), list(other))
    taken = [remaining[turn].pop(0) for turn in turns if remaining[turn]]
    return (*taken, *remaining[0], *remaining[1])


def _repeat(parts: st.SearchStrategy[Steps]) -> st.SearchStrategy[Steps]:
    return st.lists(parts, min_size=10, max_size=20).map(lambda taken: tuple(chain.from_iterable(taken)))


CLAIMS = _interrupt(("job", "job", "job", "job again"), DURING_A_CLAIM)
RECOVERIES = _interrupt(("recover",), DURING_A_RECOVERY)
PRESSES = _follow(_one_of("enable 0, enable 1, wait 61"), _interrupt(("press",), DURING_A_PRESS))
RACING_SEQUENCES = st.one_of(
    _follow(PRESSES_WITH_JOBS, CLAIMS),
    _follow(PRESSES_WITH_JOBS, _interrupt(("job",), BEFORE_THE_CLAIM_COMMITS)),
    _follow(PRESSES_WITH_JOBS, _interrupt(("job",), BEFORE_THE_CLAIM_COMMITS)),
    _follow(PRESSES_WITH_JOBS, RACING_JOBS),
    _follow(DESTINATION_CHANGES, CLAIMS),
    _follow(BEFORE_RECOVERY, RECOVERIES),
    PRESSES,
    RECORDED_TWICE,
    THREE_ATTEMPTS,
)
MERGED_SEQUENCES = st.builds(
    _merge,
    RACING_SEQUENCES,
    st.one_of(CLAIMS, RACING_JOBS, RACING_SEQUENCES),
    st.lists(st.booleans(), min_size=6, max_size=12),
)

# Half of the runs have no races, half have many. Waits come first, because a failed run is simplified towards them.
RUNS = st.one_of(
    _repeat(st.one_of(WAITS, SIMPLE_SEQUENCES, SIMPLE_SEQUENCES)),
    _repeat(st.one_of(WAITS, RACING_SEQUENCES, RACING_SEQUENCES, MERGED_SEQUENCES, MERGED_SEQUENCES)),
)
