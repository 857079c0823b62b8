"""What a run does not tell, though somebody expects it to."""

from dataclasses import dataclass
from typing import Literal

GapKind = Literal[
    "unjudged",
    "failed_before",
    "interrupted_before",
    "crashed",
    "gone",
    "was_skipped",
    "not_reached",
    "not_in_run",
    "only_in_base",
    "not_selected",
    "unused_budget",
    "no_baseline",
]
"""The kinds of a `Gap`: what there is to mend first."""


RAN: tuple[GapKind, ...] = ("failed_before", "interrupted_before", "crashed")
"""Of tests that ran: true of a run, whatever it is judged by."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that is missing.

    ``what`` is the node id of a test: one that ``failed_before`` it measured anything, or was
    ``interrupted_before`` it did, one that ``crashed`` its process, which lost what it measured, or one that
    the baseline has and that did not run, since it is ``gone`` (its file is, or was collected without it),
    ``was_skipped``, was ``not_reached`` before the session ended, or was ``not_selected``; ``not_in_run`` and
    ``only_in_base`` are those of runs that do not say why. Else it is where an ``unused_budget`` stands,
    ``why`` being its pattern, which is for no measured test, or the path of a baseline that ``why`` names and
    that does not exist. ``unjudged`` is a run that was to be judged and of which nothing was: ``what`` says
    so, and ``why``.
    """

    kind: GapKind
    what: str
    why: str | None = None
