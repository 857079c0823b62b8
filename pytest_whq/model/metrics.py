"""The metrics by which energy is told: one table, from which all else that is said of them follows."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self, overload

from pytest_whq.units import Prefix, format_quantity, wh

Unit = Literal["Wh", "J", "W"]
Joules = Literal["gross", "net"]
Per = Literal["query", "token", "input token", "output token", "second", "whole"]


@dataclass(frozen=True, slots=True)
class Amounts:
    """What was drawn and what it was drawn for, in whatever windows; what is not known is None.

    ``of_one_query`` says that they are those of one query on average, so that there is no whole of them.
    """

    energy_j: float | None = None
    net_energy_j: float | None = None
    duration_s: float | None = None
    queries: int | None = None
    input_tokens: float | None = None
    output_tokens: float | None = None
    of_one_query: bool = False

    @property
    def total_tokens(self) -> float | None:
        """Input and output tokens together, None where either is unknown."""
        if self.input_tokens is None or self.output_tokens is None:
            return None
        return self.input_tokens + self.output_tokens

    def joules(self, which: Joules) -> float | None:
        """The energy, idle draw included (``gross``) or not (``net``)."""
        return self.energy_j if which == "gross" else self.net_energy_j

    def number(self, per: Per) -> float | None:
        """How many of what a metric is told per there are; the whole is one."""
        known: Mapping[Per, float | None] = {
            "query": self.queries,
            "token": self.total_tokens,
            "input token": self.input_tokens,
            "output token": self.output_tokens,
            "second": self.duration_s,
            "whole": None if self.of_one_query else 1,
        }
        return known[per]


class Metric:
    """A row of the table of `Figures`: the ``unit``, which ``joules`` are told, and ``per`` how many of what.

    As an attribute of an object it is the value there, None where that is not known.
    """

    def __init__(self, unit: Unit, joules: Joules, per: Per, *, items: int = 1) -> None:
        self.name = ""
        self.unit = unit
        self.joules = joules
        self.per = per
        self.items = items

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, figures: None, owner: type) -> Self: ...
    @overload
    def __get__(self, figures: "Figures", owner: type) -> float | None: ...
    def __get__(self, figures: "Figures | None", owner: type) -> Self | float | None:
        return self if figures is None else self.of(figures.amounts)

    @property
    def counts_tokens(self) -> bool:
        """Whether tokens are what it is told per."""
        return self.per.endswith("token")

    @property
    def is_ratio(self) -> bool:
        """Whether it says the same however long was measured, so that rounds of a call agree on it."""
        return self.per != "whole"

    def ratio(self, amounts: Amounts) -> tuple[float, float] | None:
        """Joules and what they are divided by, None where one of them is not known."""
        energy_j, number = amounts.joules(self.joules), amounts.number(self.per)
        return None if energy_j is None or number is None else (energy_j, number)

    def of(self, amounts: Amounts) -> float | None:
        """The value in its unit; None where it is not known, or nothing is there to divide by."""
        ratio = self.ratio(amounts)
        if ratio is None or not ratio[1]:
            return None
        energy = wh(ratio[0]) if self.unit == "Wh" else ratio[0]
        return energy / ratio[1] * self.items


class Figures(ABC):
    """The table: each metric is a row here, headline first, and an attribute of whatever has `amounts`."""

    __slots__ = ()

    wh_per_query = Metric("Wh", "gross", "query")
    """Watt-hours per query that succeeded, idle draw included."""
    net_wh_per_query = Metric("Wh", "net", "query")
    """Watt-hours per query that succeeded, less idle draw."""
    wh_per_1k_tokens = Metric("Wh", "gross", "token", items=1000)
    """Watt-hours per thousand tokens, input and output."""
    wh_per_1k_output_tokens = Metric("Wh", "gross", "output token", items=1000)
    """Watt-hours per thousand output tokens."""
    j_per_token = Metric("J", "gross", "token")
    """Joules per token, input and output."""
    j_per_input_token = Metric("J", "gross", "input token")
    """Joules per input token, whatever part of them went into the output."""
    j_per_output_token = Metric("J", "gross", "output token")
    """Joules per output token."""
    wh_total = Metric("Wh", "gross", "whole")
    """Watt-hours of all windows."""
    average_power_w = Metric("W", "gross", "second")
    """Watts drawn on average while a window was open."""

    @property
    @abstractmethod
    def amounts(self) -> Amounts:
        """What the metrics are made of."""

    def metric(self, name: str) -> float | None:
        """The value of the metric ``name`` of `METRICS`, None where unknown."""
        return METRICS[name].of(self.amounts)

    @property
    def metrics(self) -> dict[str, float | None]:
        """Every metric of `METRICS` by its name."""
        amounts = self.amounts
        return {name: metric.of(amounts) for name, metric in METRICS.items()}


METRICS: Mapping[str, Metric] = {name: row for name, row in vars(Figures).items() if isinstance(row, Metric)}
"""Name -> row of each metric by which energy is reported and budgeted, headline first."""


def format_metric(metric: str, value: float | None, prefix: Prefix | None = None) -> str:
    """The value of a metric of `METRICS` with its unit, or ``-`` where unknown; ``prefix`` as in `units`."""
    return "-" if value is None else format_quantity(value, METRICS[metric].unit, prefix)
