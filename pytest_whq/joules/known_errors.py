"""Least squares where the error of each row is known, by Gram and Schmidt. Pure."""

import math
from collections.abc import Sequence
from itertools import pairwise


class KnownErrors:
    """A fit of columns, each with a number that is unknown, to ``right``; all rows have an error of 1.

    ``priors`` are means and standard errors, known before, of as many unknowns as there are, the last ones.
    """

    def __init__(
        self,
        columns: Sequence[Sequence[float]],
        right: Sequence[float],
        priors: Sequence[tuple[float, float]] = (),
    ) -> None:
        left = [*right, *(mean / error for mean, error in priors)]
        first = len(columns) - len(priors)
        units: list[list[float]] = []
        self._sizes: list[list[float]] = []
        self._parts: list[float] = []
        for number, column in enumerate(columns):
            rest = [*column, *(float(number == n) / error for n, (_, error) in enumerate(priors, first))]
            sizes = []
            for unit in units:
                sizes.append(dot(unit, rest))
                rest = _less(rest, sizes[-1], unit)
            sizes.append(math.sqrt(dot(rest, rest)))
            units.append([value / sizes[-1] for value in rest])
            self._sizes.append(sizes)
            self._parts.append(dot(units[-1], left))
            left = _less(left, self._parts[-1], units[-1])
        self.misfit = dot(left, left)
        """Sum of the squared residuals."""
        log_sizes = math.fsum(math.log(sizes[-1]) for sizes in self._sizes)
        self.log_likelihood = -self.misfit / 2 - log_sizes - math.fsum(math.log(error) for _, error in priors)
        """Of the rows, whatever the unknowns are, but for a constant."""

    def sum_of(self, weights: Sequence[float]) -> tuple[float, float]:
        """The sum of the unknowns, each times its weight, and one standard error of it."""
        pulls: list[float] = []
        for weight, sizes in zip(weights, self._sizes, strict=True):
            pulls.append((weight - dot(sizes[:-1], pulls)) / sizes[-1])
        return dot(pulls, self._parts), math.sqrt(dot(pulls, pulls))


class SharedErrors:
    """Makes rows of steps between points whose own ``variances`` neighbouring steps share, by Cholesky.

    ``own`` is the variance of each step beside those of the points at its ends.
    """

    def __init__(self, variances: Sequence[float], own: Sequence[float]) -> None:
        self._errors: list[float] = []
        self._carried: list[float] = []
        for (before, after), step in zip(pairwise(variances), own, strict=True):
            # What was later than taken is in the step before it, and is missing in the one after.
            self._carried.append(-before / self._errors[-1] if self._errors else 0.0)
            self._errors.append(math.sqrt(before + after + step - self._carried[-1] ** 2))
        self.log_size = math.fsum(map(math.log, self._errors))
        """Logarithm of all errors together."""

    def rows(self, steps: Sequence[float]) -> list[float]:
        """The steps, so that each has an error of 1 of its own."""
        found: list[float] = []
        for step, carried, error in zip(steps, self._carried, self._errors, strict=True):
            found.append((step - (carried * found[-1] if found else 0.0)) / error)
        return found


def dot(left: Sequence[float], right: Sequence[float]) -> float:
    """The sum of the products."""
    return math.fsum(a * b for a, b in zip(left, right, strict=True))


def _less(values: Sequence[float], factor: float, unit: Sequence[float]) -> list[float]:
    return [value - factor * part for value, part in zip(values, unit, strict=True)]
