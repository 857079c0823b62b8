"""What every renderer says in the same words of loads, times and phases."""

from pytest_whq.model import Measurement
from pytest_whq.model.serving import Distribution, Phase
from pytest_whq.units import format_number, format_percent, format_quantity


def load_phrase(measurement: Measurement) -> str:
    """How many queries were in flight and how fast they were answered; empty where there was no load."""
    load = measurement.load
    if load is None:
        return ""
    sent = f"{load.concurrency} in flight"
    if load.rate_per_s is not None:
        sent = f"{load.rate_per_s:,g}/s, {sent} at most"
    phrase = f"{sent}, {format_number(load.queries_per_s)} queries/s"
    if load.output_tokens_per_s is not None:
        phrase += f", {format_number(load.output_tokens_per_s)} output tokens/s"
    return phrase


def times_phrase(measurement: Measurement) -> str:
    """The `times_of` of a measurement in one line."""
    return ", ".join(f"{name} {said}" for name, said in times_of(measurement).items())


def times_of(measurement: Measurement) -> dict[str, str]:
    """Name -> median and 99th percentile of each of the times that are known."""
    known = measurement.distributions
    if known is None:
        return {}
    named = {"first token": known.ttft_s, "per output token": known.tpot_s, "latency": known.latency_s}
    return {name: _percentiles(times) for name, times in named.items() if times is not None}


def phases_phrase(measurement: Measurement) -> str:
    """The `phases_of` of a measurement in one line."""
    return ", ".join(f"{name} {said}" for name, said in phases_of(measurement).items())


def phases_of(measurement: Measurement) -> dict[str, str]:
    """What prefill and decode took, per token where these are known; empty where they are not told apart."""
    phases = measurement.phases
    if phases is None:
        return {}
    sure = not measurement.is_modelled
    return {"prefill": _phase(phases.prefill, "input", sure), "decode": _phase(phases.decode, "output", sure)}


def _phase(phase: Phase, kind: str, sure: bool) -> str:
    share = 2 * phase.uncertainty_j / phase.energy_j if sure and phase.energy_j > 0 else None
    spread = "" if share is None else f" ± {format_percent(share)}"
    if phase.j_per_token is None:
        return f"{format_quantity(phase.energy_j, 'J')}{spread}"
    return f"{format_quantity(phase.j_per_token, 'J')}/{kind} token{spread}"


def _percentiles(times: Distribution) -> str:
    return f"{format_quantity(times.p50, 's')} (p99 {format_quantity(times.p99, 's')})"
