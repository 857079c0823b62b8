"""A result for each window of a period, or why there is no figure of it. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, sqrt

from pytest_whq.importing.period.devices import TOLERATED, DeviceTracks
from pytest_whq.importing.period.engines import Count, EngineTracks
from pytest_whq.importing.period.lengths import distribution_of, shares
from pytest_whq.importing.result import Result, ToolEnergy
from pytest_whq.model.imported import Setup
from pytest_whq.model.serving import Distribution, Distributions
from pytest_whq.servers.engines import Sum
from pytest_whq.sources.remote.series import scope_of
from pytest_whq.units import format_moment, format_quantity, wh

_MOST_NOTES = 8
_PERCENTILES = "percentiles of lengths are upper edges of the engine's buckets"


@dataclass(frozen=True, slots=True)
class Period:
    """What was read of it."""

    devices: DeviceTracks
    engines: EngineTracks

    def results(self) -> list[Result]:
        """One for each window."""
        return [self._result(window) for window in range(len(self.devices.windows))]

    def _result(self, window: int) -> Result:
        span = self.devices.windows[window]
        engine = self.engines.engine
        ended, failed = self._queries(window)
        tokens_in, tokens_out = self._count(engine.prompt, window), self._count(engine.generated, window)
        queries = None if ended is None else ended - (failed or 0)
        why_energy = self.devices.why_incomplete(window)
        why_queries = self._why_no_queries(window)
        energy = None if why_energy is not None else self._energy(window)
        energy_j = None if energy is None else energy.energy_j
        distributions = self._distributions(window, tokens_in, tokens_out)
        return Result(
            name=f"{format_moment(span.start_s)} to {format_moment(span.end_s)}",
            setup=self._setup(queries, tokens_in, tokens_out),
            queries=queries,
            failed_queries=failed if engine.failed else None,
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cached_input_tokens=self._count(engine.cached, window),
            duration_s=span.duration_s,
            span=span,
            energy=energy,
            why_no_energy=why_energy,
            why_code="sample_gap",
            why_no_queries=why_queries,
            devices=tuple(self.devices.devices),
            distributions=distributions,
            notes=(
                *self._oddities(window),
                *([] if distributions is None else [_PERCENTILES]),
                *self._classes(window, energy_j, tokens_out),
            ),
        )

    def _queries(self, window: int) -> tuple[int | None, int | None]:
        """How many requests ended, and how many of them failed, which is as sure as the former."""
        engine = self.engines.engine
        ended, failed = self.engines.count(engine.ended, window), self.engines.count(engine.failed, window)
        if ended is None or _is_doubtful(ended):
            return None, None
        return round(ended.count), 0 if failed is None else round(failed.count)

    def _count(self, choices: Sequence[Sum], window: int) -> int | None:
        count = self.engines.count(choices, window)
        return None if count is None or _is_doubtful(count) else round(count.count)

    def _why_no_queries(self, window: int) -> str | None:
        ended = self.engines.count(self.engines.engine.ended, window)
        if ended is None:
            return f"{self.engines.engine.name} does not show how many requests ended"
        if not _is_doubtful(ended):
            return None
        causes = list(self.engines.oddities(window))[:4]
        return f"the queries of the period are not complete: {'; '.join(causes) or 'too few samples'}"

    def _energy(self, window: int) -> ToolEnergy:
        devices = self.devices
        each_j = devices.energies_j(window)
        energy_j = sum(each_j.values())
        return ToolEnergy(
            method="counter" if devices.unit.counts else "power",
            scope=scope_of(devices.selector) or "device",
            source="prometheus",
            energy_j=energy_j,
            uncertainty_j=devices.doubt_j(window) / sqrt(3),
            power_w=energy_j / devices.windows[window].duration_s / len(each_j),
            devices=each_j,
        )

    def _setup(self, queries: int | None, tokens_in: int | None, tokens_out: int | None) -> Setup:
        models, devices = self.engines.models(), list(self.devices.devices.values())
        lengths = [tokens / queries if tokens and queries else None for tokens in (tokens_in, tokens_out)]
        names = {device.name for device in devices}
        return Setup(
            model=models[0] if len(models) == 1 else None,
            framework=self.engines.engine.name,
            hardware=names.pop() if len(names) == 1 else None,
            gpus=len(devices),
            input_length=lengths[0],
            output_length=lengths[1],
        )

    def _distributions(
        self, window: int, tokens_in: int | None, tokens_out: int | None
    ) -> Distributions | None:
        found = [
            self._lengths(name, window, tokens)
            for name, tokens in zip(self.engines.engine.lengths, (tokens_in, tokens_out), strict=True)
        ]
        return Distributions(None, None, None, None, *found) if any(found) else None

    def _lengths(self, histogram: str | None, window: int, tokens: int | None) -> Distribution | None:
        if histogram is None or tokens is None:
            return None
        buckets = self.engines.buckets(histogram, window)
        if any(_is_doubtful(count) for count in buckets.values()):
            return None
        requests = max((count.count for count in buckets.values()), default=0.0)
        return distribution_of(buckets, tokens / requests if requests else None)

    def _oddities(self, window: int) -> Iterator[str]:
        every = list(dict.fromkeys((*self.devices.oddities(window), *self.engines.oddities(window))))
        yield from every[:_MOST_NOTES]
        if len(every) > _MOST_NOTES:
            yield f"and {len(every) - _MOST_NOTES} more gaps and restarts"

    def _classes(self, window: int, energy_j: float | None, tokens: int | None) -> Iterator[str]:
        """Wh per query by output length, the energy being shared out by output tokens."""
        histogram = self.engines.engine.lengths[1]
        if histogram is None or energy_j is None or not tokens:
            return
        found = shares(self.engines.buckets(histogram, window), tokens)
        if len(found) > 1:
            classes = [
                f"{_between(low, high)} tokens: {count:,.0f} queries, "
                f"{format_quantity(wh(energy_j) * part / tokens / count, 'Wh')} each"
                for low, high, count, part in found
            ]
            yield f"by output length, if energy goes by output tokens: {'; '.join(classes)}"


def _between(low: float, high: float) -> str:
    return f"{low:,.0f} to {high:,.0f}" if high < inf else f"more than {low:,.0f}"


def _is_doubtful(count: Count) -> bool:
    return count.doubt > max(TOLERATED * count.count, 0.5)
