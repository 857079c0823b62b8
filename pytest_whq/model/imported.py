"""What other tools' results say beside energy, queries and tokens. Frozen; what is not told is None."""

from dataclasses import dataclass

from pytest_whq.model.metrics import Amounts


@dataclass(frozen=True, slots=True)
class Setup:
    """What was benchmarked: model, engine, hardware, load. Lengths are tokens of a query, nominal or mean."""

    model: str | None = None
    precision: str | None = None
    framework: str | None = None
    hardware: str | None = None
    gpus: int | None = None
    prefill_gpus: int | None = None
    decode_gpus: int | None = None
    concurrency: int | None = None
    rate_per_s: float | None = None
    input_length: float | None = None
    output_length: float | None = None
    speculative_decoding: str | None = None
    flags: tuple[str, ...] = ()
    image: str | None = None
    commit: str | None = None
    date: str | None = None

    @property
    def tokens_per_query(self) -> float | None:
        """Input and output tokens of one query, None where either is unknown."""
        if self.input_length is None or self.output_length is None:
            return None
        return self.input_length + self.output_length


@dataclass(frozen=True, slots=True)
class Means:
    """Means over the queries: times, and interactivity in output tokens per second that one user sees."""

    latency_s: float | None = None
    ttft_s: float | None = None
    tpot_s: float | None = None
    interactivity: float | None = None


@dataclass(frozen=True, slots=True)
class Modelled:
    """Joules of one query by all-in watts per GPU: GPU, its share of the server and of the hall.

    ``table`` is where the watts are from.
    """

    j_per_query: float
    power_w: float
    table: str


@dataclass(frozen=True, slots=True)
class RoleEnergy:
    """Joules that the devices of one role drew."""

    role: str
    energy_j: float


@dataclass(frozen=True, slots=True)
class Imported:
    """What an imported record is of, and the figures per query that stand where joules are not known.

    ``measured_j_per_query`` is the tool's own, ``length_factor`` what lengths are multiplied with in
    the corrected figure. ``power_w`` is one GPU's, as measured. ``doubts`` are those of the notes that
    say what may be wrong with the figure.
    """

    kind: str
    query: str
    setup: Setup
    means: Means = Means()
    tokens_per_s_per_gpu: float | None = None
    measured_j_per_query: float | None = None
    modelled: Modelled | None = None
    length_factor: float | None = None
    power_w: float | None = None
    roles: tuple[RoleEnergy, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def amounts_of_one_query(self) -> Amounts:
        """Joules, seconds and tokens of one query on average: measured ones, else the modelled."""
        energy_j = self.measured_j_per_query
        power_w = self.power_w
        if energy_j is None and self.modelled is not None:
            energy_j, power_w = self.modelled.j_per_query, self.modelled.power_w
        gpus = self.setup.gpus
        seconds = energy_j / (power_w * gpus) if energy_j and power_w and gpus else None
        return Amounts(
            energy_j,
            None,
            seconds,
            1,
            self.setup.input_length,
            self.setup.output_length,
            of_one_query=True,
        )
