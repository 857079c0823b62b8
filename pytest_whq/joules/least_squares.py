"""Ordinary least squares of a few unknowns, with their standard errors. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple

_SPARE = 3
"""So many equations more than unknowns are needed for their scatter to mean something."""

_LEAST_FREE = 1e-6
"""A row that decides on an unknown alone has no scatter: its residual counts as much as can be."""

_ALIKE = 1e-9
"""A pivot below this share of the largest number: the unknowns cannot be told apart."""


class Fit(NamedTuple):
    """The unknowns, and one standard error of each."""

    values: tuple[float, ...]
    errors: tuple[float, ...]


def fit(rows: Sequence[Sequence[float]], right: Sequence[float], *, least_error: float = 0.0) -> Fit | None:
    """The unknowns whose sums, weighted with the numbers of each row, come nearest to ``right``.

    The errors hold where scatter differs from row to row (HC3 of MacKinnon and White, 1985), and are not
    below those that equal scatter gives. ``least_error`` is the standard error that each of ``right`` has
    at least, however well they fit. None where the rows are too few, or too alike to tell the unknowns apart.
    """
    unknowns = range(len(rows[0]) if rows else 0)
    spare = len(rows) - len(unknowns)
    if spare < _SPARE:
        return None
    columns = list(zip(*rows, strict=True))
    inverse = _inverse([[_dot(one, other) for other in columns] for one in columns])
    if inverse is None:
        return None
    sums = [_dot(column, right) for column in columns]
    values = tuple(_dot(line, sums) for line in inverse)
    squares = [(value - _dot(row, values)) ** 2 for row, value in zip(rows, right, strict=True)]
    # How a residual of each equation moves each unknown, and how far it pulled the fit to itself.
    pulls = [[_dot(line, row) for line in inverse] for row in rows]
    robust = [
        math.fsum(
            pull[i] ** 2 * square / max(_LEAST_FREE, 1 - _dot(row, pull)) ** 2
            for row, pull, square in zip(rows, pulls, squares, strict=True)
        )
        for i in unknowns
    ]
    variance = max(math.fsum(squares) / spare, least_error**2)
    return Fit(values, tuple(math.sqrt(max(robust[i], variance * inverse[i][i])) for i in unknowns))


def _dot(left: Sequence[float], right: Sequence[float]) -> float:
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def _inverse(square: Sequence[Sequence[float]]) -> list[list[float]] | None:
    """The inverse of a matrix, by Gauss and Jordan; None where it has none."""
    size = len(square)
    lines = [[*line, *(float(i == j) for j in range(size))] for i, line in enumerate(square)]
    largest = max(abs(number) for line in square for number in line)
    for step in range(size):
        pivot = max(range(step, size), key=lambda i: abs(lines[i][step]))
        if abs(lines[pivot][step]) <= _ALIKE * largest:
            return None
        lines[step], lines[pivot] = lines[pivot], lines[step]
        lines[step] = [number / lines[step][step] for number in lines[step]]
        for i in range(size):
            if i != step:
                factor = lines[i][step]
                lines[i] = [a - factor * b for a, b in zip(lines[i], lines[step], strict=True)]
    return [line[size:] for line in lines]
