"""The sheet as a report in the format of BoAmps (Boavizta, schemas of April 2026): one task, so one test.

What the format asks for and the sheet does not know is ``not stated``, or ``other`` where it takes
only some words.
"""

import json
from collections.abc import Iterator
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pytest_whq.errors import SettingError
from pytest_whq.footprint.sheet import Lengths, Sheet, Workload
from pytest_whq.footprint.tables import grids
from pytest_whq.rendering.sheets.json import document_of
from pytest_whq.rendering.words import one_line
from pytest_whq.storing.plain_data import json_of
from pytest_whq.units import kwh

_NOT_STATED = "not stated"
_SPECIFICATION = "https://github.com/Boavizta/BoAmps/tree/main/model"


def render(sheet: Sheet) -> str:
    """``sheet`` as a report; SettingError where it has more or fewer workloads than one, or no energy."""
    if len(sheet.workloads) != 1:
        raise SettingError(
            f"A BoAmps report is of one task, and the run has {len(sheet.workloads)} tests: "
            "name one with --test."
        )
    (load,) = sheet.workloads
    if load.energy_wh is None:
        why = f": {one_line(load.why[0]).rstrip('.')}" if load.why else ""
        raise SettingError(f"A BoAmps report needs energy, and {one_line(load.name)} has none{why}.")
    report = {
        "header": _header(sheet),
        "task": _task(sheet, load),
        "measures": [_measure(sheet, load, load.energy_wh)],
        "infrastructure": {"infraType": "other", "components": list(_components(sheet))},
        **_environment(sheet),
    }
    return f"{json_of(report, indent=1)}\n"


def _header(sheet: Sheet) -> dict[str, Any]:
    content = json.dumps(document_of(sheet), sort_keys=True)
    return {
        "formatVersionSpecificationUri": _SPECIFICATION,
        "reportId": str(uuid5(NAMESPACE_URL, content)),
        "reportDatetime": _shown(sheet.created),
        "reportStatus": "draft",
    }


def _shown(moment: str) -> str:
    return moment[:19].replace("T", " ")


def _task(sheet: Sheet, load: Workload) -> dict[str, Any]:
    model = {"foundationModelName": one_line(sheet.model)} if sheet.model else {}
    return {
        "taskStage": "inference",
        "taskFamily": _NOT_STATED,
        **({} if load.requests is None else {"nbRequest": load.requests}),
        "algorithms": [{"algorithmType": "llm", **model}],
        "dataset": [_tokens("input", load.input_tokens), _tokens("output", load.output_tokens)],
        "taskDescription": f"{one_line(load.name)}: {_failed(load)}; "
        "data quantities are mean tokens of a request",
    }


def _failed(load: Workload) -> str:
    failed = load.failed_requests
    return "how many requests failed is not known" if failed is None else f"{failed} of the requests failed"


def _tokens(usage: str, lengths: Lengths) -> dict[str, Any]:
    quantity = {} if lengths.mean is None else {"dataQuantity": lengths.mean}
    return {"dataUsage": usage, "dataType": "token", **quantity}


def _measure(sheet: Sheet, load: Workload, energy_wh: float) -> dict[str, Any]:
    source, method = one_line(sheet.meter.source or _NOT_STATED), one_line(load.method or _NOT_STATED)
    tracking = {"gpuTrackingMode": source} if (sheet.meter.scope or "").startswith("gpu") else {}
    return {
        "measurementMethod": f"{one_line(sheet.tool)}, {source} {method}",
        **tracking,
        "powerConsumption": kwh(energy_wh),
        **({} if load.duration_s is None else {"measurementDuration": load.duration_s}),
        **({} if sheet.period.start is None else {"measurementDateTime": _shown(sheet.period.start)}),
    }


def _components(sheet: Sheet) -> Iterator[dict[str, Any]]:
    kind = {"gpu": "gpu", "cpu": "cpu"}.get(sheet.meter.scope or "", "other")
    for hardware in sheet.hardware:
        yield {
            "componentName": one_line(hardware.name),
            "componentType": kind,
            **({} if hardware.number is None else {"nbComponent": hardware.number}),
        }
    if not sheet.hardware:
        yield {"componentType": "other", "nbComponent": 1}


def _environment(sheet: Sheet) -> dict[str, Any]:
    grid = sheet.place.grid
    if grid is None or grid.country is None:
        return {}
    country = grids().get(grid.country.casefold())
    where = {} if grid.where is None or grid.name == grid.country else {"location": one_line(grid.where)}
    return {
        "environment": {
            "country": one_line(country.where or grid.country if country else grid.country),
            **where,
            "powerSourceCarbonIntensity": grid.g_per_kwh,
        }
    }
