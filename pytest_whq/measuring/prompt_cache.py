"""How much of what was asked a server may have answered from its prompt cache, at next to no cost. Pure."""

from collections.abc import Iterator

from pytest_whq.model import Measurement, Reason
from pytest_whq.queries.inputs import InputLog
from pytest_whq.units import format_percent

_NOTICED = 0.01
"""Shares below this are not worth a sentence."""


def cached_reasons(measurement: Measurement, max_cached: float) -> Iterator[Reason]:
    """The reason, if more of the input than the share ``max_cached`` came from a cache, or may have."""
    if max_cached >= 1.0 or not measurement.queries:
        return
    asked_for = f"of which max_cached allows {format_percent(max_cached)}"
    share = _share(measurement)
    if share is None:
        yield Reason("cached_input", f"the replies do not tell cached input tokens, {asked_for}")
    elif share > max_cached:
        yield Reason(
            "cached_input", f"{format_percent(share)} of the input tokens came from a cache, {asked_for}"
        )


def cache_notes(measurement: Measurement, inputs: InputLog) -> Iterator[str]:
    """The share that came from a cache, or where replies do not tell it, that ``inputs`` were repeated."""
    share = _share(measurement)
    if share is not None:
        if share >= _NOTICED:
            yield f"{format_percent(share)} of the input tokens came from a cache and cost next to nothing"
    elif (repeated := inputs.repeated) > _NOTICED * len(inputs):
        which = "every query" if repeated == len(inputs) else f"{repeated} of {len(inputs)} queries"
        yield (
            f"{which} asked what was asked before, and the replies do not tell "
            "cached tokens: a prompt cache answers them for less; vary gives each call its own input"
        )


def _share(measurement: Measurement) -> float | None:
    """Cached input tokens as a share of all, None where replies do not tell."""
    tokens = measurement.tokens
    if tokens.cached_input_tokens is None or not tokens.input_tokens:
        return None
    return tokens.cached_input_tokens / tokens.input_tokens
