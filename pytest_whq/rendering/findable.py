"""Which changes a comparison could find, as text."""

from collections.abc import Mapping, Sequence
from statistics import median

from pytest_whq.rendering.columns import aligned
from pytest_whq.rendering.names import short_names
from pytest_whq.units import format_percent, number_of

HOW = "Smallest change found 4 times of 5"
_NONE = "none"


def summary(findable: Mapping[str, float | None]) -> str | None:
    """One line on what each test could find, None where there is no test."""
    known = sorted((change, test) for test, change in findable.items() if change is not None)
    hopeless = len(findable) - len(known)
    said = []
    if known:
        (least, first), (most, last) = known[0], known[-1]
        first, last = short_names([first, last])
        if _shown(least) == _shown(most):
            said.append(f"{_shown(least)} ({first if len(known) == 1 else number_of(len(known), 'test')})")
        else:
            middle = _shown(median(change for change, _ in known))
            half = f", of half of them {middle} or less" if len(known) > 2 else ""
            said.append(f"{_shown(least)} ({first}) to {_shown(most)} ({last}){half}")
    if hopeless:
        said.append(f"{_NONE} of {number_of(hopeless, 'test')}, whose single runs are often far off")
    return f"{HOW}: {'; '.join(said)}" if said else None


def table(by_runs: Mapping[int, Mapping[str, float | None]], accepted: Mapping[str, int]) -> str:
    """A line for each test: how many runs of it are ``accepted``, and what so many runs could find."""
    tests = list(accepted)
    header = ["test", "accepted", *(f"by {number_of(runs, 'run')}" for runs in by_runs)]
    rows = [
        [name, number_of(accepted[test], "run"), *(_shown(found.get(test)) for found in by_runs.values())]
        for name, test in zip(short_names(tests), tests, strict=True)
    ]
    align: Sequence[str] = ["left", *["right"] * (len(header) - 1)]
    return "\n".join([f"{HOW}, where no other test changes:", *aligned([header, *rows], align)])


def _shown(change: float | None) -> str:
    return _NONE if change is None else format_percent(change, signed=True)
