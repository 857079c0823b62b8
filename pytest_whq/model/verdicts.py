"""What became of a budget, and of a figure against its baseline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pytest_whq.model.rig import Commit

Tone = Literal["bad", "unsure", "good", "plain"]
BudgetOutcome = Literal["within", "exceeded", "unmeasured", "not_judged"]
ComparisonOutcome = Literal[
    "regressed", "improved", "unchanged", "inconclusive", "new", "not_comparable", "not_measured"
]


@dataclass(frozen=True, slots=True)
class Meaning:
    """What follows from an outcome.

    ``fails`` where it fails its test when verdicts are enforced; ``settled`` where a figure was held
    against another and there is an answer. ``counted`` is what a summary calls so many tests, None where
    it leaves them out, and ``said`` what is said of one of them.
    """

    said: str
    tone: Tone = "plain"
    fails: bool = False
    settled: bool = False
    counted: str | None = None


BUDGET_OUTCOMES: Mapping[BudgetOutcome, Meaning] = {
    "within": Meaning("within budget", settled=True),
    "exceeded": Meaning("over budget", "bad", fails=True, settled=True, counted="over budget"),
    "unmeasured": Meaning("budget unmeasured", "bad", fails=True, counted="with a budget unmeasured"),
    "not_judged": Meaning("not judged"),
}
"""What follows from the outcomes of budgets."""

# What is unchanged is as expected, what is new stands in its line, and what is not measured is counted
# whether or not there is a baseline.
COMPARISON_OUTCOMES: Mapping[ComparisonOutcome, Meaning] = {
    "regressed": Meaning("regressed", "bad", fails=True, settled=True, counted="regressed"),
    "improved": Meaning("improved", "good", settled=True, counted="improved"),
    "unchanged": Meaning("unchanged", settled=True),
    "inconclusive": Meaning("inconclusive", "unsure", counted="inconclusive"),
    "new": Meaning("new"),
    "not_comparable": Meaning("not comparable", "unsure", counted="not comparable"),
    "not_measured": Meaning("not measured", "unsure"),
}
"""What follows from the outcomes of comparisons."""


@dataclass(frozen=True, slots=True)
class BudgetVerdict:
    """What became of one budget.

    ``origin`` says where the limit stands, ``why`` why the figure was not held against it.
    """

    metric: str
    limit: float
    value: float | None
    outcome: BudgetOutcome
    origin: str
    why: str | None = None

    @property
    def fails(self) -> bool:
        """Whether an enforced budget fails the test."""
        return BUDGET_OUTCOMES[self.outcome].fails

    @property
    def applies(self) -> bool:
        """Whether it is for the hardware that was measured."""
        return self.fails or self.settled

    @property
    def settled(self) -> bool:
        """Whether the figure was held against the limit."""
        return BUDGET_OUTCOMES[self.outcome].settled


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure against its baseline.

    ``baseline`` is the mean of the ``runs`` compared with, in the unit of
    ``metric``; ``commit`` and ``created`` are those of the latest. ``change`` and ``interval95`` are
    shares: 0.03 is 3 % more. ``limit`` is the largest change allowed, ``origin`` where that stands.
    ``shift`` is by how much all tests of the run moved together: the outcome is that of what is beyond it.
    ``differences`` are what keeps rigs from being compared, or what differs between them all the same;
    ``why`` is what else there is to say of the outcome. ``per_token`` is the same for energy per output
    token. ``fails_by_policy`` says that the user wants its outcome to fail the test.
    """

    metric: str
    baseline: float | None
    change: float | None
    interval95: tuple[float, float] | None
    outcome: ComparisonOutcome
    shift: float | None = None
    limit: float | None = None
    origin: str | None = None
    runs: int | None = None
    created: str | None = None
    commit: Commit | None = None
    why: str | None = None
    differences: tuple[str, ...] = ()
    likely_cause: str | None = None
    per_token: "Comparison | None" = None
    fails_by_policy: bool = False

    @property
    def meaning(self) -> Meaning:
        """What follows from the outcome."""
        return COMPARISON_OUTCOMES[self.outcome]

    @property
    def fails(self) -> bool:
        """Whether it fails its test where verdicts are enforced, by its outcome or the user's policy."""
        return self.meaning.fails or self.fails_by_policy

    @property
    def is_new(self) -> bool:
        """Whether there was nothing to compare with."""
        return self.outcome == "new"

    @property
    def lacks_figure(self) -> bool:
        """Whether the baseline has a figure and the run has none."""
        return self.outcome == "not_measured"

    @property
    def is_unchanged(self) -> bool:
        """Whether it is as it was, within what is allowed."""
        return self.outcome == "unchanged"
