"""How many queries of a test may fail before its figures no longer count. Pure."""

import math
from dataclasses import dataclass, replace
from typing import Any

from pytest_whq.errors import SettingError
from pytest_whq.model import Measurement
from pytest_whq.units import parse_ratio


@dataclass(frozen=True, slots=True)
class MaxFailed:
    """The most failures that are allowed: a ``count``, or a ``share`` of all queries."""

    count: int | None = None
    share: float | None = None

    def allows(self, measurement: Measurement) -> bool:
        """Whether so many of the queries of ``measurement`` may fail; not where nobody knows how many did."""
        failed = measurement.failed_queries
        if failed is None or measurement.queries is None:
            return False
        total = measurement.queries + failed
        if self.count is not None:
            return failed <= self.count
        return failed <= math.floor((self.share or 0.0) * total + 1e-9)


def max_failed(what: str, value: Any) -> MaxFailed:
    """What ``max_failed`` means: ``3`` is a count, ``"5%"`` or ``0.05`` a share.

    Raises SettingError, which begins with ``what``, the name of the setting.
    """
    try:
        if isinstance(value, bool):
            raise ValueError(value)
        if str(value).strip().isdecimal():
            return MaxFailed(count=int(value))
        share = parse_ratio(value)
        if share < 1:
            return MaxFailed(share=share)
    except (TypeError, ValueError):
        pass
    raise SettingError(f'{what} must be a count such as 3, or a share such as "5%" or 0.05, not {value!r}.')


def allow_failures(measurement: Measurement, limit: MaxFailed | None) -> Measurement:
    """``measurement``, whose failed queries no longer invalidate it where ``limit`` allows so many."""
    if limit is None or not measurement.has("failed_queries") or not limit.allows(measurement):
        return measurement
    kept = tuple(reason for reason in measurement.reasons if reason.code != "failed_queries")
    return replace(measurement, reasons=kept)


def all_failed(measurement: Measurement) -> str | None:
    """Why a test whose queries all failed is not to pass, in one sentence; None where one succeeded."""
    if measurement.queries or not measurement.failed_queries:
        return None
    kinds = ", ".join(f"{number} {kind}" for kind, number in measurement.failures.items())
    what = f"all {measurement.failed_queries} queries" if measurement.failed_queries > 1 else "its only query"
    return f"{what} failed{f' ({kinds})' if kinds else ''}: no energy per query was measured."
