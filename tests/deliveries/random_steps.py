"""The walks to take: what happens in which order, drawn at random from calm ways and from races."""

from dataclasses import dataclass
from itertools import chain

from hypothesis import strategies as st


@dataclass(frozen=True)
class Step:
    """One thing that happens. of: which of those it can happen to, the latest first; of a wait, the seconds.

    meanwhile: what happens between its look at the database and its change.
    """

    name: str
    of: float = 0
    meanwhile: tuple["Step", ...] = ()

    def __repr__(self) -> str:
        return f"{self.name} {self.of:g}" + (f" {list(self.meanwhile)}" if self.meanwhile else "")


Steps = tuple[Step, ...]


def _read(words: str) -> Steps:
    """Read steps as a walk that failed prints them: `press 0, wait 61`."""
    return tuple(Step(name, float(of)) for name, of in (step.rsplit(" ", 1) for step in words.split(", ")))


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

CALM = _one_of("""
    wait 61, press 0, enqueue 0, job 0, accept 0, record 0
    wait 61, press 1, enqueue 0, job 0, refuse 0, record 0
    wait 61, press 0, enqueue 0, job 0, silent 0, record 0
    wait 61, press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, accept 0, record 0
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, busy 0, record 0, wait 20, recover 0
    wait 61, press 0, enqueue 0, disable 0, press 0, job 0, enable 0
    wait 61, press 1, enqueue 0, edit 1, job 0
    wait 61, press 0, enqueue 0, delete 0, job 0
    press 0, drop 0
    press 1, wait 11, recover 0, job 0, accept 0, record 0
    press 0, enqueue 0, job 0, die 0, recover 1, wait 20, recover 1
    press 1, recover 0
    job again 0
    enable 0, enable 1
    look 0
    forget 0
""")

BEGINNINGS = _one_of("""
    enable 0, wait 61, press 0, enqueue 0
    enable 1, wait 61, press 1, enqueue 0, enqueue 0
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0
    wait 61, press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0
    wait 61, press 1, enqueue 0, wait 50, job 0, wait 11, press 1, busy 0, record 0, wait 4, recover 0
""")

RACY = _one_of("""
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
    job 0, drop 0
    recover 0
    look 0
    forget 0
""")

MEANWHILE = _one_of("""
    rival 0
    rival 0, accept 0, record 0
    rival 0, busy 0, record 0, wait 4, recover 1
    rival 0, drop 0
    drop 0
    wait 61, press 0
    wait 61, press 1
    wait 125, recover 1
    wait 125, look 0, forget 0
    wait 11, recover 0
    accept 0, record 0
    disable 0
    disable 1, enable 1
    edit 0
    edit 1
    delete 0
""")

THRICE = _follow(
    _one_of(
        "enable 0, wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, busy 0, record 0"
    ),
    _one_of("wait 20, recover 0, job 0, busy 0, record 0, wait 61, recover 0"),
)

OBSTRUCTED = _one_of("""
    enable 0, wait 61, press 0, enqueue 0, edit 0
    enable 0, wait 61, press 0, enqueue 0, disable 0
    enable 1, wait 61, press 1, enqueue 0, edit 1
    enable 1, wait 61, press 1, enqueue 0, delete 1
""")

TOLD_TWICE = _one_of("""
    enable 0, wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, record again 0, accept 0
    enable 1, wait 61, press 1, enqueue 0, job 0, busy 0, record 0, wait 4, recover 1, job 0, record again 0, refuse 0
    enable 0, wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4, recover 0, job 0, record again 0, silent 0
""")

DUE = _one_of("""
    enable 0, wait 61, press 0, enqueue 0, wait 11
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 4
    wait 61, press 1, enqueue 0, job 0, accept 0, recover 0, wait 20
    wait 61, press 0, enqueue 0, job 0, busy 0, record 0, wait 125
""")

OVERTAKEN = _one_of("""
    rival 0, busy 0, record 0, wait 4, recover 1
    disable 0, disable 1
    edit 0, edit 1
    delete 1, delete 1
""")

STALE_PAGES = _one_of("""
    disable 0
    delete 0
    edit 0
    press 0
""")

DURING_A_PASS = _one_of("""
    recover 1
    job 0
    job 0, accept 0, record 0
    record 0
    drop 0
    wait 61, press 0
    look 0
""")


def _interrupt(names: tuple[str, ...], meanwhile: st.SearchStrategy[Steps]) -> st.SearchStrategy[Steps]:
    """Take one step of these, the latest thing that it can happen to more often than not, with others inside it."""
    step = st.builds(Step, st.sampled_from(names), st.sampled_from((0, 0, 0, 1)), meanwhile)
    return step.map(lambda taken: (taken,))


def _merge(one: Steps, other: Steps, turns: list[bool]) -> Steps:
    """Take the steps of both, each in its order, by turns."""
    ahead = (list(one), list(other))
    taken = [ahead[turn].pop(0) for turn in turns if ahead[turn]]
    return (*taken, *ahead[0], *ahead[1])


def _walks(parts: st.SearchStrategy[Steps]) -> st.SearchStrategy[Steps]:
    return st.lists(parts, min_size=10, max_size=20).map(lambda taken: tuple(chain.from_iterable(taken)))


CLAIMS = _interrupt(("job", "job", "job", "job again"), MEANWHILE)
PASSES = _interrupt(("recover",), DURING_A_PASS)
PRESSES = _follow(_one_of("enable 0, enable 1, wait 61"), _interrupt(("press",), STALE_PAGES))
STORIES = st.one_of(
    _follow(BEGINNINGS, CLAIMS),
    _follow(BEGINNINGS, _interrupt(("job",), OVERTAKEN)),
    _follow(BEGINNINGS, _interrupt(("job",), OVERTAKEN)),
    _follow(BEGINNINGS, RACY),
    _follow(OBSTRUCTED, CLAIMS),
    _follow(DUE, PASSES),
    PRESSES,
    TOLD_TWICE,
    THRICE,
)
RACES = st.builds(_merge, STORIES, st.one_of(CLAIMS, RACY, STORIES), st.lists(st.booleans(), min_size=6, max_size=12))

WALKS = st.one_of(_walks(st.one_of(WAITS, CALM, CALM)), _walks(st.one_of(WAITS, STORIES, STORIES, RACES, RACES)))
"""Half calm, half full of races. Waits come first, since a walk that failed is made simpler towards these."""
