"""What a sheet of ours, an SPDX document or a BoAmps report leaves out of what one would ask."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple


class Item(NamedTuple):
    """Something that one would ask: its name, and in what words."""

    name: str
    asked: str


ITEMS = (
    Item("model", "which model served the requests"),
    Item("period", "when it was measured, and for how long"),
    Item("requests", "how many requests were made"),
    Item("failed_requests", "how many of them failed"),
    Item("input_lengths", "how long the inputs were: mean and percentiles in tokens"),
    Item("output_lengths", "how long the outputs were: mean and percentiles in tokens"),
    Item("hardware", "on which devices they ran"),
    Item("energy", "the energy that was drawn"),
    Item("method", "how the energy was measured, and by what"),
    Item("scope", "what the energy covers"),
    Item("whole_system", "the energy of the whole system: CPUs, memory, fans and power supplies, too"),
    Item("wh_per_query", "watt-hours per query"),
    Item("wh_per_token", "watt-hours per token"),
    Item("uncertainty", "how far the energy may be off"),
    Item("pue", "the data centre's overhead (PUE), and who says so"),
    Item("place", "where it ran, with the year and source of the grid's intensity"),
)
"""What is asked of a sheet, in the order of the questions."""

Answers = Mapping[str, bool]

WHOLE_SYSTEM = frozenset({"system", "node", "server", "rack", "all-in", "wall"})
"""Scopes that have everything but the data centre's overhead."""


def left_out(document: Any) -> tuple[Item, ...] | None:
    """The items that ``document``, a JSON value, leaves out; None where it is no sheet that is known."""
    for recognises, answers_of in _FORMATS:
        if isinstance(document, dict) and recognises(document):
            answers = answers_of(document)
            return tuple(item for item in ITEMS if not answers.get(item.name, False))
    return None


def _of_sheet(sheet: Any) -> Answers:
    meter, place, loads = _at(sheet, "meter"), _at(sheet, "place"), _list(sheet, "workloads")

    def all_have(*paths: str) -> bool:
        return bool(loads) and all(_known(_at(load, path)) for load in loads for path in paths)

    def lengths(which: str) -> bool:
        return all_have(f"{which}.mean", f"{which}.p50", f"{which}.p99")

    return {
        "model": _known(_at(sheet, "model")),
        "period": _known(_at(sheet, "period.start")) and _known(_at(sheet, "period.measured_s")),
        "requests": all_have("requests"),
        "failed_requests": all_have("failed_requests"),
        "input_lengths": lengths("input_tokens"),
        "output_lengths": lengths("output_tokens"),
        "hardware": any(_known(_at(one, "name")) for one in _list(sheet, "hardware")),
        "energy": all_have("energy_wh"),
        "method": all_have("method") and _known(_at(meter, "source")),
        "scope": _known(_at(meter, "scope")),
        "whole_system": _at(meter, "scope") in WHOLE_SYSTEM,
        "wh_per_query": all_have("wh_per_query"),
        "wh_per_token": all_have("wh_per_1k_tokens"),
        "uncertainty": all_have("uncertainty") or all_have("wh_per_query_interval95"),
        "pue": _known(_at(place, "overhead.pue")) and _known(_at(place, "overhead.source")),
        "place": all(_known(_at(place, f"grid.{name}")) for name in ("name", "g_per_kwh", "year", "source")),
    }


def _of_spdx(document: Any) -> Answers:
    """What the packages of the AI profile say: energy in its own property, the rest in their metrics."""
    packages = [one for one in _elements(document) if _at(one, "type") == "ai_AIPackage"]
    metrics = [
        {
            _at(entry, "key"): _at(entry, "value")
            for entry in _list(package, "ai_metric")
            if isinstance(_at(entry, "key"), str)
        }
        for package in packages
    ]

    def all_tell(name: str) -> bool:
        return bool(metrics) and all(_known(found.get(name)) for found in metrics)

    told = {item.name: all_tell(item.name) for item in ITEMS}
    energy = [_at(package, "ai_energyConsumption.ai_inferenceEnergyConsumption") for package in packages]
    return {
        **told,
        "model": bool(packages) and all(_known(_at(package, "name")) for package in packages),
        "energy": bool(energy) and all(isinstance(one, list) and any(map(_kwh, one)) for one in energy),
    }


def _kwh(description: Any) -> bool:
    # "other" is a unit of SPDX, too, with which a number says nothing.
    unit = _at(description, "ai_energyUnit")
    return _known(_at(description, "ai_energyQuantity")) and unit in ("kilowattHour", "megajoule")


def _of_boamps(report: Any) -> Answers:
    measures, requests = _list(report, "measures"), _at(report, "task.nbRequest")

    def all_have(name: str) -> bool:
        return bool(measures) and all(_known(_at(measure, name)) for measure in measures)

    algorithms = _list(report, "task.algorithms")
    names = ("foundationModelName", "algorithmName")
    has_requests = isinstance(requests, int | float) and requests > 0
    return {
        "model": any(_known(_at(one, name)) for one in algorithms for name in names),
        "period": all_have("measurementDateTime") and all_have("measurementDuration"),
        "requests": has_requests,
        "hardware": any(
            _known(_at(one, "componentName")) for one in _list(report, "infrastructure.components")
        ),
        "energy": all_have("powerConsumption"),
        "method": all_have("measurementMethod"),
        "wh_per_query": all_have("powerConsumption") and has_requests,
        "uncertainty": _known(_at(report, "quality")),
    }


_FORMATS: tuple[tuple[Callable[[Any], bool], Callable[[Any], Answers]], ...] = (
    (lambda document: "sheet" in document and "workloads" in document, _of_sheet),
    (lambda document: "@context" in document or "@graph" in document, _of_spdx),
    (lambda document: "measures" in document and "task" in document, _of_boamps),
)


def _elements(document: Any) -> Iterator[Any]:
    graph = document.get("@graph")
    yield from graph if isinstance(graph, list) else [document]


def _at(value: Any, path: str) -> Any:
    """What lies in nested objects at ``a.b.c``; None where there is nothing."""
    for name in path.split("."):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _list(value: Any, path: str) -> list[Any]:
    found = _at(value, path)
    return found if isinstance(found, list) else []


def _known(value: Any) -> bool:
    return value is not None and value != "" and value != [] and value != {}
