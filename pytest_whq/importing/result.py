"""What a reader finds in another tool's file: a value for each line of results, in units of this package."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_whq.errors import ReasonCode
from pytest_whq.joules.spans import Span
from pytest_whq.model.imported import Means, Setup
from pytest_whq.model.measurement import Method
from pytest_whq.model.serving import Distributions


@dataclass(frozen=True, slots=True)
class Throughput:
    """Tokens per second per GPU, as a benchmark states them: of all GPUs, or of those of one role."""

    total: float | None = None
    input: float | None = None
    output: float | None = None


@dataclass(frozen=True, slots=True)
class ToolEnergy:
    """Energy as the tool itself has measured it; ``power_w`` is that of one GPU on average.

    ``energy_j`` is of all queries together, ``j_per_query`` of one: a tool tells one of them at least.
    ``method`` is the word of a run file; ``devices`` and ``roles`` map names to joules, ``names`` those of
    devices that are no GPU to what they are.
    """

    method: Method
    scope: str
    source: str
    energy_j: float | None = None
    j_per_query: float | None = None
    uncertainty_j: float | None = None
    power_w: float | None = None
    devices: Mapping[str, float] = field(default_factory=dict)
    roles: Mapping[str, float] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Result:
    """One line of another tool's results; what it does not tell is None.

    ``span`` is the benchmark's own window in seconds of the Unix epoch. ``query`` says what a query
    is: a query, an image or a video. ``why_code`` is the reason's, where ``why_no_energy`` says one;
    ``why_no_queries`` is the sentence where they were counted and are not known. ``doubts`` and ``notes``
    are sentences that the reader itself raises. ``devices`` are their ids where no energy tells them.
    ``fixed_lengths`` says that input and output lengths are those asked for and not those counted,
    ``modelled`` that a figure by all-in power is wanted.
    """

    name: str
    setup: Setup
    query: str = "query"
    queries: int | None = None
    failed_queries: int | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cached_input_tokens: int | None = None
    duration_s: float | None = None
    span: Span | None = None
    throughput: Throughput = Throughput()
    means: Means = Means()  # noqa: RUF009 - frozen
    std_interactivity: float | None = None
    energy: ToolEnergy | None = None
    why_no_energy: str | None = None
    why_code: ReasonCode = "no_source"
    why_no_queries: str | None = None
    distributions: Distributions | None = None
    devices: tuple[str, ...] = ()
    fixed_lengths: bool = False
    modelled: bool = False
    doubts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """The results in one file, and a sentence for each line of it that could not be used."""

    results: tuple[Result, ...]
    left_out: tuple[str, ...] = ()
    tool: str = ""
