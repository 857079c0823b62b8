"""What is missing of a run, in the words of every report."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, get_args

from pytest_whq.model import Gap, GapKind
from pytest_whq.rendering.names import short_names
from pytest_whq.rendering.words import one_line
from pytest_whq.units import number_of


class Missing(NamedTuple):
    """A sentence without its full stop, and the printable names of what it is about, if it names any."""

    said: str
    names: tuple[str, ...]


def missing(gaps: Sequence[Gap]) -> list[Missing]:
    """What is missing, one sentence for each kind of gap, in their order."""
    by_kind = {kind: [gap for gap in gaps if gap.kind == kind] for kind in get_args(GapKind)}
    return [_said(kind, found) for kind, found in by_kind.items() if found]


def _said(kind: GapKind, gaps: Sequence[Gap]) -> Missing:
    if kind == "unjudged":
        return Missing("; ".join(one_line(f"{gap.what}: {gap.why}") for gap in gaps), ())
    if kind == "no_baseline":
        named = ", ".join(one_line(gap.why or "") for gap in gaps)
        said = f"{named} names a baseline that does not exist, so nothing was compared"
        return Missing(said, tuple(one_line(gap.what) for gap in gaps))
    if kind == "unused_budget":
        number = number_of(len(gaps), "budget of a file is", "budgets of files are")
        said = f"{number} for no measured test"
        return Missing(said, tuple(one_line(f"{gap.why} ({gap.what})") for gap in gaps))
    said = f"{number_of(len(gaps), 'test')} {_OF_TESTS[kind][len(gaps) > 1]}"
    return Missing(said, tuple(short_names([gap.what for gap in gaps])))


_OF_TESTS: Mapping[GapKind, tuple[str, str]] = {
    "failed_before": ("failed before it measured anything", "failed before they measured anything"),
    "interrupted_before": (
        "was interrupted before it measured anything",
        "were interrupted before they measured anything",
    ),
    "crashed": (
        "crashed, and what it measured is lost",
        "crashed, and what they measured is lost",
    ),
    "gone": (
        "of the baseline is gone, deleted or renamed",
        "of the baseline are gone, deleted or renamed",
    ),
    "was_skipped": ("of the baseline was skipped", "of the baseline were skipped"),
    "not_reached": (
        "of the baseline did not run before the session ended",
        "of the baseline did not run before the session ended",
    ),
    "not_in_run": ("of the baseline is not in this run", "of the baseline are not in this run"),
    "only_in_base": ("is in the base only, and not compared", "are in the base only, and not compared"),
    "not_selected": ("of the baseline was not selected", "of the baseline were not selected"),
}
"""What is said of one test, and of several."""
