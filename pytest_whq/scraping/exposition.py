"""The text format of metrics that Prometheus scrapes: the samples of some metrics in it. Pure."""

import re
from collections.abc import Collection, Iterator
from typing import NamedTuple

_SAMPLE = re.compile(
    r'(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>(?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?'
    # Behind the value a time, and an example, which OpenMetrics has.
    r"[ \t]+(?P<value>[^\s#]+)(?:[ \t]+-?[\d.]+)?(?:[ \t]+# \{.*)?[ \t]*"
)
_LABEL = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_]*)[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*(?:,[ \t]*|$)')
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


class Sample(NamedTuple):
    """One line of a metric."""

    name: str
    labels: dict[str, str]
    value: float


class NotMetricsError(Exception):
    """The text is not in this format."""


def samples(text: str, names: Collection[str]) -> Iterator[Sample]:
    """The samples of the metrics ``names``, in order; NotMetricsError where text or one of them is malformed.

    Of other metrics only the first line is looked at: an exporter shows a hundred of them.
    """
    # Not splitlines: the name of a model may hold what that takes for an end of line.
    lines = [line.removesuffix("\r") for line in text.split("\n") if line and not line.isspace()]
    if lines and not lines[0].startswith("#") and _SAMPLE.fullmatch(lines[0]) is None:
        raise NotMetricsError
    starts = tuple(names)
    for line in lines:
        if line.startswith(starts):
            sample = _sample(line)
            if sample.name in names:
                yield sample


def _sample(line: str) -> Sample:
    found = _SAMPLE.fullmatch(line)
    if found is None:
        raise NotMetricsError
    try:
        return Sample(found["name"], _labels(found["labels"] or ""), float(found["value"]))
    except ValueError:
        raise NotMetricsError from None


def _labels(text: str) -> dict[str, str]:
    labels: dict[str, str] = {}
    place = 0
    while place < len(text):
        found = _LABEL.match(text, place)
        if found is None or found[1] in labels:
            raise NotMetricsError
        labels[found[1]] = re.sub(r"\\.", lambda escape: _ESCAPES.get(escape[0], escape[0]), found[2])
        place = found.end()
    return labels
