"""What an engine's page of metrics shows, and what it has done from one look to the next. Pure."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from pytest_whq.model.serving import ServerWork
from pytest_whq.scraping.exposition import samples
from pytest_whq.servers.engines import ENGINES, Engine, Sum

Key = tuple[str, tuple[tuple[str, str], ...]]
"""A series: its name and its labels, sorted."""


class UnknownEngineError(Exception):
    """The page shows no counter of an engine that is known."""


class RestartedError(Exception):
    """A counter has fallen or gone: the engine was started anew between two looks."""


@dataclass(frozen=True, slots=True)
class Page:
    """The counters that an engine shows at some moment, by their series."""

    engine: Engine
    values: Mapping[Key, float]

    @property
    def busy(self) -> float:
        """Requests that run or wait, as far as the engine shows them."""
        return sum(value for key, value in self.values.items() if _is_of(self.engine.busy, key))


def page_of(text: str) -> Page:
    """The counters in the text of a page; UnknownEngineError, NotMetricsError where it is no such text."""
    names = {name for engine in ENGINES.values() for name in engine.names}
    values: dict[Key, float] = {}
    for name, labels, value in samples(text, names):
        if isfinite(value) and value >= 0:
            values[name, tuple(sorted(labels.items()))] = value
    shown = {name for name, _ in values}
    for engine in ENGINES.values():
        if shown & engine.names:
            return Page(engine, {key: value for key, value in values.items() if key[0] in engine.names})
    raise UnknownEngineError


def work_between(before: Page, after: Page) -> ServerWork:
    """What the engine did between two looks at it; RestartedError where its counters began anew."""
    engine = after.engine
    if before.engine is not engine or _fell(before, after):
        raise RestartedError
    ended = _moved(before, after, engine.ended)
    prompt = _moved(before, after, engine.prompt)
    prefilled = _moved(before, after, engine.prefilled)
    cached = _moved(before, after, engine.cached)
    if prompt is None and prefilled is not None and cached is not None:
        prompt = prefilled + cached
    elif prefilled is None and prompt is not None and cached is not None and cached <= prompt:
        # Above that, blocks were looked up again after a preemption, and count twice.
        prefilled = prompt - cached
    return ServerWork(
        engine=engine.name,
        queries=ended,
        failed_queries=_moved(before, after, engine.failed) if ended is not None else None,
        input_tokens=prompt,
        output_tokens=_moved(before, after, engine.generated),
        cached_input_tokens=cached,
        prefilled_tokens=prefilled,
    )


def _fell(before: Page, after: Page) -> bool:
    busy = before.engine.busy
    return any(
        after.values.get(key, -1.0) < value for key, value in before.values.items() if not _is_of(busy, key)
    )


def _moved(before: Page, after: Page, choices: Sequence[Sum]) -> int | None:
    """By how much a quantity grew; None where the page does not show it."""
    for metrics in choices:
        names = {metric.name for metric in metrics}
        if not any(name in names for name, _ in after.values):
            continue
        grown: dict[str | None, float] = defaultdict(float)
        for key, value in after.values.items():
            # What has never happened may not be shown yet.
            if _is_of(metrics, key):
                model = dict(key[1]).get(after.engine.per or "")
                grown[model] += value - before.values.get(key, 0.0)
        moved = max(grown.values(), default=0.0)
        return round(moved) if moved <= _MOST else None
    return None


_MOST = 2**53
"""More than any engine can count: a counter beyond it is not one."""


def _is_of(metrics: Sum, key: Key) -> bool:
    name, labels = key
    return any(metric.holds(name, dict(labels)) for metric in metrics)
