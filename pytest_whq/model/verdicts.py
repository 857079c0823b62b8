"""What became of a budget, and of a figure against its baseline."""

from dataclasses import dataclass

from pytest_whq.model.rig import Commit


@dataclass(frozen=True, slots=True)
class BudgetVerdict:
    """What became of one budget: ``within``, ``exceeded``, ``unmeasured`` or ``not_judged``.

    ``origin`` says where the limit stands, ``why`` why an ``unmeasured`` or ``not_judged`` one is.
    """

    metric: str
    limit: float
    value: float | None
    outcome: str
    origin: str
    why: str | None = None

    @property
    def fails(self) -> bool:
        """Whether an enforced budget fails the test."""
        return self.outcome in ("exceeded", "unmeasured")


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure against its baseline.

    ``outcome`` is ``regressed``, ``improved``, ``unchanged``, ``inconclusive``, ``new`` or
    ``not_comparable``. ``baseline`` is the mean of the ``runs`` compared with, in the unit of
    ``metric``; ``commit`` and ``created`` are those of the latest. ``change`` and ``interval95`` are
    shares: 0.03 is 3 % more. ``limit`` is the largest change allowed, ``origin`` where that stands.
    ``differences`` are what keeps rigs from being compared, ``why`` is what else there is to say of
    the outcome. ``per_token`` is the same for energy per output token.
    """

    metric: str
    baseline: float | None
    change: float | None
    interval95: tuple[float, float] | None
    outcome: str
    limit: float | None = None
    origin: str | None = None
    runs: int | None = None
    created: str | None = None
    commit: Commit | None = None
    why: str | None = None
    differences: tuple[str, ...] = ()
    likely_cause: str | None = None
    per_token: "Comparison | None" = None
