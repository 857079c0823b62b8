"""The sheet as an SPDX 3.0.1 document in JSON-LD: a package of the AI profile for each workload.

It claims no conformance with the AI profile, which asks for a model's release time, version and
download location, too: a measurement does not know them.
"""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from pytest_whq.footprint.sheet import Sheet, Workload
from pytest_whq.rendering.sheets.answers import of_all, of_workload
from pytest_whq.rendering.sheets.json import document_of
from pytest_whq.rendering.words import one_line
from pytest_whq.storing.plain_data import json_of
from pytest_whq.units import format_as_given, kwh

_CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION = "_:creation"


def render(sheet: Sheet) -> str:
    """``sheet`` as a JSON-LD document; the same sheet gets the same ids."""
    content = json.dumps(document_of(sheet), sort_keys=True)
    base = f"urn:uuid:{uuid5(NAMESPACE_URL, content)}"
    graph = list(_elements(sheet, base))
    return f"{json_of({'@context': _CONTEXT, '@graph': graph}, indent=1)}\n"


def _elements(sheet: Sheet, base: str) -> Iterator[dict[str, Any]]:
    packages = [_package(sheet, load, f"{base}#package-{n}") for n, load in enumerate(sheet.workloads)]
    ids = [package["spdxId"] for package in packages]
    yield {
        "type": "CreationInfo",
        "@id": _CREATION,
        "specVersion": "3.0.1",
        # Whole seconds, the only times that SPDX takes.
        "created": f"{sheet.created[:19]}Z",
        "createdBy": [f"{base}#tool"],
    }
    yield _element("SoftwareAgent", f"{base}#tool", name=one_line(sheet.tool))
    if sheet.supplier:
        yield _element("Organization", f"{base}#supplier", name=one_line(sheet.supplier))
    yield _element(
        "SpdxDocument", f"{base}#document", rootElement=ids, element=ids, profileConformance=["core"]
    )
    for package in packages:
        if sheet.supplier:
            package["suppliedBy"] = f"{base}#supplier"
        yield package


def _element(kind: str, spdx_id: str, **properties: Any) -> dict[str, Any]:
    return {"type": kind, "spdxId": spdx_id, "creationInfo": _CREATION, **properties}


def _package(sheet: Sheet, load: Workload, spdx_id: str) -> dict[str, Any]:
    answers = {**dict(of_all(sheet)), **dict(of_workload(sheet, load))}
    if load.wh_per_query is not None:
        answers["wh_per_query"] = format_as_given(load.wh_per_query)
    properties: dict[str, Any] = {
        # SPDX asks for a name; where no model is known it is that of the test.
        "name": one_line(sheet.model or load.name),
        "comment": f"Measured by {one_line(load.name)}. The energy is that of all {_requests(load)}.",
        "software_primaryPurpose": "model",
        "ai_metric": [
            {"type": "DictionaryEntry", "key": item, "value": said} for item, said in answers.items()
        ],
    }
    if load.energy_wh is not None:
        properties["ai_energyConsumption"] = {
            "type": "ai_EnergyConsumption",
            "ai_inferenceEnergyConsumption": [
                {
                    "type": "ai_EnergyConsumptionDescription",
                    "ai_energyQuantity": _decimal(kwh(load.energy_wh)),
                    "ai_energyUnit": "kilowattHour",
                }
            ],
        }
    return _element("ai_AIPackage", spdx_id, **properties)


def _requests(load: Workload) -> str:
    return "requests" if load.requests is None else f"{load.requests} requests"


def _decimal(value: float) -> str:
    """A number without an exponent, as XML Schema wants its decimals."""
    return f"{Decimal(repr(value)):f}"
