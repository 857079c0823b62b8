"""A period is read from a Prometheus piece by piece, so that a month of a rack needs little memory."""

from collections.abc import Callable, Sequence

from pytest_whq.errors import ImportedFileError, TooMuchError
from pytest_whq.joules.spans import Span
from pytest_whq.scraping.prometheus import Prometheus, Series

AROUND_S = 300.0
"""Read before and after a period, for the samples next to its edges."""

_SHORTEST_PIECE_S, _FIRST_PIECE_S, _LONGEST_PIECE_S = 5.0, 300.0, 86400.0
_SAMPLES = 100_000
"""Of one answer, about: some megabytes."""


def read_through(
    server: Prometheus, selector: str, span: Span, take: Callable[[Sequence[Series]], None]
) -> None:
    """Let ``take`` have the series of ``selector``, in pieces, from before ``span`` to after it."""
    at_s, piece_s, longest_s = span.start_s - AROUND_S, _FIRST_PIECE_S, _LONGEST_PIECE_S
    while at_s < span.end_s + AROUND_S:
        end_s = min(at_s + piece_s, span.end_s + AROUND_S)
        try:
            series = server.series(f"{selector}[{round((end_s - at_s) * 1000)}ms]", end_s)
        except TooMuchError:
            if piece_s <= _SHORTEST_PIECE_S:
                raise
            longest_s = piece_s = piece_s / 4
            continue
        if series:
            take(series)
        samples = sum(len(one.samples) for one in series)
        at_s = end_s
        piece_s = min(longest_s, 2 * piece_s, piece_s * _SAMPLES / max(1, samples))


def first_that_matches(server: Prometheus, selectors: Sequence[str], span: Span) -> str:
    """The first selector of which a sample is near an edge of ``span`` or in its middle."""
    moments_s = (span.start_s, (span.start_s + span.end_s) / 2, span.end_s)
    for selector in selectors:
        for at_s in moments_s:
            try:
                is_there = bool(server.series(f"{selector}[{AROUND_S:.0f}s]", at_s))
            except TooMuchError:
                is_there = True
            if is_there:
                return selector
    raise ImportedFileError(
        f"{server.address.shown} has no samples of {' or '.join(selectors)} in the period. "
        "Name another series by --energy, or another engine by --queries."
    )
