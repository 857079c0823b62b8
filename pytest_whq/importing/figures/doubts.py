"""What may be wrong with a published figure: each doubt a small function, its sentence with the numbers.

Most are those of muxup, "Per-query energy consumption of LLMs" (2026-01-07).
"""

from collections.abc import Callable, Iterator

from pytest_whq.importing.hardware import boards
from pytest_whq.importing.result import Result
from pytest_whq.units import format_number as shown

ADDS_UP = 0.02
"""How far throughput may be from its parts: benchmarks write them to six digits."""

RATIO = 0.05
"""How far input to output may be from ISL to OSL: random lengths differ by some percent."""

AT_REST = 1.25
"""Below so many times what a board draws while it does nothing, it has done next to nothing."""

_SAMPLED = 0.9
"""What random lengths average, as a share of those asked for."""

_SAME = 1e-3


def doubts_of(result: Result) -> Iterator[str]:
    """Every doubt that the numbers of one result raise, in the order of the table."""
    for doubt in DOUBTS:
        if (sentence := doubt(result)) is not None:
            yield sentence
    yield from result.doubts


def throughput_adds_up(result: Result) -> str | None:
    """Throughput per GPU is that of input and output, averaged over the GPUs of the whole cluster."""
    told, setup = result.throughput, result.setup
    if told.total is None or told.input is None or told.output is None:
        return None
    given, how = told.input + told.output, "input + output"
    if setup.prefill_gpus and setup.decode_gpus:
        given = (told.input * setup.prefill_gpus + told.output * setup.decode_gpus) / (
            setup.prefill_gpus + setup.decode_gpus
        )
        how = f"input of {setup.prefill_gpus} prefill and output of {setup.decode_gpus} decode GPUs"
    if abs(given / told.total - 1) <= ADDS_UP:
        return None
    return (
        f"throughput does not add up: {how} are {shown(given)} tokens/s per GPU, told are {shown(told.total)}"
    )


def ratio_fits_lengths(result: Result) -> str | None:
    """Input and output throughput stand to each other as ISL and OSL do."""
    told, setup = result.throughput, result.setup
    if not (told.input and told.output and setup.input_length and setup.output_length):
        return None
    found = told.input / told.output
    if setup.prefill_gpus and setup.decode_gpus:
        found *= setup.prefill_gpus / setup.decode_gpus
    asked = setup.input_length / setup.output_length
    if abs(found / asked - 1) <= RATIO:
        return None
    return (
        f"input to output is {shown(found)} by throughput, but {shown(asked)} by ISL/OSL "
        f"{setup.input_length:.0f}/{setup.output_length:.0f}"
    )


def lengths_are_nominal(result: Result) -> str | None:
    """Tokens of a query are those asked for: those of random lengths are fewer."""
    setup = result.setup
    if not result.fixed_lengths or not setup.tokens_per_query:
        return None
    return (
        f"ISL/OSL {setup.input_length:.0f}/{setup.output_length:.0f} are nominal: random lengths "
        "average about "
        f"{_SAMPLED:g} of them, {_SAMPLED * setup.tokens_per_query:.0f} tokens a query "
        f"(--length-factor {_SAMPLED:g})"
    )


def failures_are_told(result: Result) -> str | None:
    """A benchmark that drops failed requests from its figures says how many there were."""
    if result.failed_queries is None:
        of = "" if result.queries is None else f" beside {result.queries} that succeeded"
        return f"failed requests are not told{of}: their energy is in the figure or not, and they are not"
    return None


def roles_have_their_own_throughput(result: Result) -> str | None:
    """Disaggregated throughput is per GPU of a role, which no single-node figure is."""
    told, setup = result.throughput, result.setup
    if not (setup.prefill_gpus and setup.decode_gpus and told.input is not None and told.output is not None):
        return None
    return (
        f"disaggregated: input of {shown(told.input)} tokens/s is per each of "
        f"{setup.prefill_gpus} prefill GPUs, "
        f"output of {shown(told.output)} per each of {setup.decode_gpus} decode GPUs; single-node "
        "figures are per GPU of all"
    )


def interactivity_is_spread(result: Result) -> str | None:
    """The spread of interactivity is not one over that of the time per token."""
    mean, spread = result.means.interactivity, result.std_interactivity
    if not mean or spread is None or spread <= mean:
        return None
    return (
        f"std_intvty is {shown(spread)} tokens/s around a mean of {shown(mean)}: "
        "it is 1 / std_tpot, which is no standard deviation"
    )


def gpus_fit_the_topology(result: Result) -> str | None:
    """GPUs are as many as workers times the GPUs of each, and roles share them."""
    setup, told = result.setup, result.throughput
    flags = dict(flag.split("=", 1) for flag in setup.flags if "=" in flag)
    for role, gpus in (("prefill", setup.prefill_gpus), ("decode", setup.decode_gpus)):
        each, workers = int(flags.get(f"{role}_tp", 0)), int(flags.get(f"{role}_num_workers", 0))
        if gpus and each and workers and each * workers != gpus:
            return (
                f"GPU counts contradict the topology: {workers} {role} worker{'s' * (workers > 1)} of tp "
                f"{each} "
                f"are {each * workers} GPUs, told are {gpus}"
            )
    if not (setup.prefill_gpus and setup.decode_gpus and told.total and told.input and told.output):
        return None
    return _split(setup.prefill_gpus, setup.decode_gpus, told.total, told.input, told.output)


def _split(prefill: int, decode: int, total: float, of_input: float, of_output: float) -> str | None:
    """What share of the GPUs must be prefill's for the throughput to add up, where it is another one."""
    if of_input == of_output:
        return None
    share, told = (total - of_output) / (of_input - of_output), prefill / (prefill + decode)
    if not 0 < share < 1 or abs(share - told) < ADDS_UP:
        return None
    return (
        f"GPU counts contradict the throughput: {prefill} prefill and {decode} decode GPUs are "
        "told, but only "
        f"{share * prefill:.1f} to {(1 - share) * prefill:.1f}, of {prefill} together, add up to it"
        if prefill == decode
        else f"GPU counts contradict the throughput: prefill has {told:.0%} of them, {share:.0%} would add up"
    )


def board_has_worked(result: Result) -> str | None:
    """Measured power at what a board draws while it does nothing is the power of another moment."""
    watts, board = _power_w(result), boards().get(result.setup.hardware or "")
    if watts is None or board is None or board.idle_w is None or watts > AT_REST * board.idle_w:
        return None
    at = "" if result.setup.concurrency is None else f" at concurrency {result.setup.concurrency}"
    return (
        f"measured power of {watts:.0f} W per GPU{at} is near the idle level of a {result.setup.hardware}, "
        f"about {board.idle_w:.0f} W"
    )


def board_keeps_its_limit(result: Result) -> str | None:
    """No board draws more than its limit on average."""
    watts, board = _power_w(result), boards().get(result.setup.hardware or "")
    if watts is None or board is None or watts <= board.limit_w:
        return None
    return (
        f"measured power of {watts:.0f} W per GPU is above the limit of a {result.setup.hardware}, "
        f"{board.limit_w:.0f} W ({board.limit_source})"
    )


def _power_w(result: Result) -> float | None:
    return None if result.energy is None else result.energy.power_w


DOUBTS: tuple[Callable[[Result], str | None], ...] = (
    throughput_adds_up,
    ratio_fits_lengths,
    gpus_fit_the_topology,
    roles_have_their_own_throughput,
    lengths_are_nominal,
    failures_are_told,
    interactivity_is_spread,
    board_has_worked,
    board_keeps_its_limit,
)
"""Each gives its sentence, or None where the numbers raise no such doubt."""
