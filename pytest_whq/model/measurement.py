"""What was measured in the windows of a test, and what follows from it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pytest_whq.model.imported import Imported
from pytest_whq.model.metrics import Amounts, Figures, format_metric
from pytest_whq.model.reasons import REASONS, Reason
from pytest_whq.model.serving import Distributions, Load, Phases, ServerWork
from pytest_whq.model.short_table import as_html, as_text
from pytest_whq.units import format_percent, format_quantity, format_seconds, wh

Method = Literal["counter", "power", "estimate", "modelled"]
"""How joules were made, the best first."""

_NO_FIGURE = "there is no figure"


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Tokens of one query as the reply tells them; what it does not tell is None.

    ``cached_input_tokens`` are part of ``input_tokens``, ``reasoning_tokens`` of ``output_tokens``.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    reasoning_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceEnergy:
    """Joules that one device drew in the measured windows."""

    id: str
    energy_j: float | None


@dataclass(frozen=True, slots=True)
class Round(Figures):
    """One repetition of a measured call, or one window that the test opened itself."""

    energy_j: float | None
    net_energy_j: float | None
    duration_s: float
    queries: int
    input_tokens: int | None
    output_tokens: int | None

    @property
    def amounts(self) -> Amounts:
        """All of it, as it is."""
        return Amounts(
            self.energy_j,
            self.net_energy_j,
            self.duration_s,
            self.queries,
            self.input_tokens,
            self.output_tokens,
        )


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Watts of all devices together: means over steps of ``step_s`` from ``start_s`` on.

    Times are on the clock of `time.monotonic`. ``windows_s`` are the start and end of each span that
    was measured; what no reading tells of a step's power is None.
    """

    start_s: float
    step_s: float
    power_w: tuple[float | None, ...]
    windows_s: tuple[tuple[float, float], ...]

    @property
    def end_s(self) -> float:
        """The end of the last step."""
        return self.start_s + self.step_s * len(self.power_w)


@dataclass(frozen=True, slots=True)
class Measurement(Figures):
    """Energy, queries and tokens of a test's windows together.

    ``queries`` succeeded; the energy of the ``failed_queries`` is in ``energy_j`` all the same.
    Joules are gross; ``net_energy_j`` is less the idle power outside the windows times
    ``duration_s``. ``uncertainty_j`` is one standard uncertainty of ``energy_j``, ``net_uncertainty_j`` that
    of ``net_energy_j``.
    ``failures`` counts failed queries by kind;
    ``distributions`` are of the queries that were timed, ``load`` is that of `whq.load`;
    ``phases`` are None where prefill and decode cannot be told apart.
    ``tokenizer`` is the user's own that has counted the output tokens of replies that are text, None where
    replies told them; ``notes`` are sentences that keep the figure from misleading. ``imported`` is there
    where another tool has measured, which may not tell joules, queries or seconds, but figures per query.
    ``server`` is what the inference engine has counted meanwhile, where it was asked.
    """

    method: Method | None
    energy_j: float | None
    net_energy_j: float | None
    uncertainty_j: float | None
    duration_s: float | None
    queries: int | None
    failed_queries: int | None
    tokens: TokenCount
    devices: tuple[DeviceEnergy, ...]
    rounds: tuple[Round, ...]
    interval95: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    reasons: tuple[Reason, ...] = ()
    power: PowerCurve | None = None
    failures: Mapping[str, int] = field(default_factory=dict)
    distributions: Distributions | None = None
    load: Load | None = None
    phases: Phases | None = None
    tokenizer: str | None = None
    notes: tuple[str, ...] = ()
    imported: Imported | None = None
    server: ServerWork | None = None
    net_uncertainty_j: float | None = None

    @property
    def valid(self) -> bool:
        """Whether Wh/query stands: missing tokens alone take only the token metrics away."""
        return all(not REASONS[reason.code] or reason.code == "tokens_missing" for reason in self.reasons)

    @property
    def device_ids(self) -> frozenset[str]:
        """The ids of the devices that were measured."""
        return frozenset(device.id for device in self.devices)

    @property
    def amounts(self) -> Amounts:
        """What the metrics are made of: all windows together, or one query where that alone is known."""
        if self.imported is not None and (self.energy_j is None or not self.queries):
            return self.imported.amounts_of_one_query
        return Amounts(
            self.energy_j,
            self.net_energy_j,
            self.duration_s,
            self.queries,
            self.tokens.input_tokens,
            self.tokens.output_tokens,
        )

    @property
    def total_tokens(self) -> float | None:
        """Input and output tokens together, None where either is unknown."""
        return self.amounts.total_tokens

    @property
    def modelled_wh_per_query(self) -> float | None:
        """Watt-hours per query by all-in power, None where nobody has reckoned them."""
        modelled = None if self.imported is None else self.imported.modelled
        return None if modelled is None else wh(modelled.j_per_query)

    @property
    def corrected_wh_per_query(self) -> float | None:
        """Watt-hours per query by the lengths that nominal ones stand for, None without a factor."""
        factor = None if self.imported is None else self.imported.length_factor
        return None if factor is None or self.wh_per_query is None else self.wh_per_query * factor

    def why_invalid(self, metric: str) -> Reason | None:
        """The first reason that keeps ``metric`` from being judged, None where it stands."""
        return next((reason for reason in self.reasons if metric in self._invalidated_by(reason)), None)

    @property
    def why_unmeasured(self) -> str | None:
        """Why there is no Wh/query that stands, without a full stop; None where there is one."""
        if reason := self.why_invalid("wh_per_query"):
            return reason.sentence.rstrip(".") or reason.code.replace("_", " ")
        return _NO_FIGURE if self.wh_per_query is None else None

    @property
    def why_incomparable(self) -> str | None:
        """Why a comparison could not use its Wh/query: where there is none, or none above 0."""
        return self.why_unmeasured or (None if self.wh_per_query else _NO_FIGURE)

    def _invalidated_by(self, reason: Reason) -> frozenset[str]:
        if reason.code == "tokens_missing" and self.total_tokens is None:
            # Where the input alone is missing, what the output took is known.
            return frozenset(metric for metric in REASONS[reason.code] if self.metric(metric) is None)
        return REASONS[reason.code]

    @property
    def is_modelled(self) -> bool:
        """Whether no sensor is behind the energy: what a model is off by, nobody knows."""
        return self.method in ("estimate", "modelled") or self.has("estimated")

    def has(self, code: str) -> bool:
        """Whether the reason ``code`` is among the reasons."""
        return any(reason.code == code for reason in self.reasons)

    def __str__(self) -> str:
        """A short table: the figure, and what it is made of."""
        return as_text(list(self._facts()))

    def _repr_html_(self) -> str:
        """The same, as a notebook shows it."""
        return as_html(list(self._facts()))

    def _facts(self) -> Iterator[tuple[str, str]]:
        why, value = self.why_unmeasured, self.wh_per_query
        if why is not None or value is None:
            yield "Wh/query", f"not measured: {why}"
        else:
            bounds = self.interval95.get("wh_per_query")
            width = f" ± {format_percent((bounds[1] - bounds[0]) / 2 / value)}" if bounds and value else ""
            yield "Wh/query", f"{format_metric('wh_per_query', value)}{width}"
        if self.j_per_output_token is not None:
            yield "per output token", format_metric("j_per_output_token", self.j_per_output_token)
        if self.energy_j is not None and self.duration_s is not None:
            yield "energy", f"{format_quantity(self.energy_j, 'J')} in {format_seconds(self.duration_s)}"
        if self.queries is not None:
            failed = f", {self.failed_queries:,} failed" if self.failed_queries else ""
            yield "queries", f"{self.queries:,}{failed}"
        yield "method", self.method or "unknown"
        if codes := [reason.code for reason in self.reasons]:
            yield "reasons", ", ".join(codes)
