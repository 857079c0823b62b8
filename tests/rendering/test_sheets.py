"""The sheet of a run, for people and in the formats of others, held to their own schemas."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, Draft202012Validator
from jsonschema.protocols import Validator
from markdown_it import MarkdownIt
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4
from report_run import HOSTILE, a_hostile_run, a_report_run
from samples import NOTHING, RIG, a_record, a_run

from pytest_whq.errors import SettingError
from pytest_whq.footprint.left_out import ITEMS, left_out
from pytest_whq.footprint.place import read_place
from pytest_whq.footprint.sheet import Sheet, sheet_of
from pytest_whq.model import Method, Reason
from pytest_whq.model.serving import Distribution, Distributions
from pytest_whq.rendering.sheets import SHEETS, render

SCHEMAS = Path(__file__).parent / "schemas"
PLACE = read_place("JPN", "31 JPY/kWh", "1.2 (operator, 2025)", str)
LENGTHS = Distribution(20, 256.0, 250.0, 300.0, 400.0, 512.0)
SPREAD = Distributions(None, None, None, None, LENGTHS, LENGTHS)
FULL = replace(a_run(a_record(distributions=SPREAD), rig=replace(RIG, scope="wall")), place=PLACE)
"""A run that leaves nothing out, once its model is named."""


def spdx() -> Validator:
    return Draft202012Validator(json.loads((SCHEMAS / "spdx.json").read_text("utf-8")))


def boamps() -> Validator:
    schemas = json.loads((SCHEMAS / "boamps.json").read_text("utf-8"))
    resources = [
        (name, Resource.from_contents(schema, default_specification=DRAFT4))
        for name, schema in schemas.items()
    ]
    report = next(schema for name, schema in schemas.items() if name.endswith("report_schema.json"))
    return Draft4Validator(report, registry=Registry().with_resources(resources))


def problems(validator: Validator, document: Any) -> list[str]:
    return [error.message for error in validator.iter_errors(document)]


def written(name: str, sheet: Sheet) -> Any:
    return json.loads(render(name, sheet))


GFM = MarkdownIt("gfm-like", {"html": True, "linkify": True})
PLAIN_TAGS = {"h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "code", "ul", "li"}


def tags_of(page: str) -> set[str]:
    return set(re.findall(r"<([a-z]\w*)", page))


def package_of(document: Any) -> Any:
    return next(one for one in document["@graph"] if one["type"] == "ai_AIPackage")


def test_the_page_asks_answers_and_names_what_is_left_out() -> None:
    sheet = sheet_of(replace(a_run(a_record(), NOTHING), place=PLACE), "gpt-oss-20b", "A provider")
    page = render("markdown", sheet)
    for line in (
        "| supplier | A provider |",
        "| which model served the requests | gpt-oss-20b |",
        "| when it was measured, and for how long | `from 2026-11-23T08:00:00Z on, 6.2 s measured` |",
        "| on which devices they ran | 1 x NVIDIA H200, 700 W limit |",
        "| what the energy covers | GPU board |",
        "| the data centre's overhead (PUE), and who says so | PUE 1.2 (operator, 2025) |",
        "| how many requests were made | 20 |",
        "| how many of them failed | 0 |",
        "| watt-hours per query | `12.3 mWh` |",
        "nvml: driver not loaded",
        "- the energy of the whole system: CPUs, memory, fans and power supplies, too (`whole_system`)",
        "- how long the inputs were: mean and percentiles in tokens (`input_lengths`)",
        "Location-based: what the grid there emits for a kWh; certificates and contracts are not deducted.",
    ):
        assert line in page.splitlines()


def test_a_sheet_that_answers_all_leaves_nothing_out() -> None:
    sheet = sheet_of(FULL, "gpt-oss-20b")
    assert written("json", sheet)["left_out"] == {}
    assert "Nothing of what is asked." in render("markdown", sheet)


def test_failed_requests_are_told_with_their_kinds_and_take_the_figures_away() -> None:
    failed = a_record(
        failed_queries=3, failures={"timeout": 3}, reasons=(Reason("failed_queries", "3 queries failed"),)
    )
    sheet = sheet_of(a_run(failed))
    (load,) = written("json", sheet)["workloads"]
    assert (load["requests"], load["failed_requests"], load["failures"]) == (23, 3, {"timeout": 3})
    assert (load["wh_per_query"], load["energy_wh"], load["why"]) == (None, None, ["3 queries failed"])
    assert "| how many of them failed | 3 (3 timeout) |" in render("markdown", sheet)


def test_spdx_has_the_energy_of_the_requests_in_kilowatt_hours() -> None:
    document = written("spdx", sheet_of(FULL, "gpt-oss-20b", "A provider"))
    assert problems(spdx(), document) == []
    package = package_of(document)
    (energy,) = package["ai_energyConsumption"]["ai_inferenceEnergyConsumption"]
    assert float(energy["ai_energyQuantity"]) == pytest.approx(884 / 3.6e6)
    assert energy["ai_energyUnit"] == "kilowattHour"
    metrics = {entry["key"]: entry["value"] for entry in package["ai_metric"]}
    assert float(metrics["wh_per_query"]) == pytest.approx(884 / 3600 / 20)
    assert package["name"] == "gpt-oss-20b"


def test_the_schema_of_spdx_would_refuse_another_unit() -> None:
    document = written("spdx", sheet_of(FULL))
    energy = package_of(document)["ai_energyConsumption"]["ai_inferenceEnergyConsumption"][0]
    energy["ai_energyUnit"] = "Wh"
    assert problems(spdx(), document) != []


def test_what_was_not_measured_has_no_energy_in_spdx() -> None:
    document = written("spdx", sheet_of(a_run(NOTHING)))
    assert problems(spdx(), document) == []
    assert "ai_energyConsumption" not in package_of(document)


def test_boamps_has_one_task_with_its_energy_in_kilowatt_hours() -> None:
    report = written("boamps", sheet_of(FULL, "gpt-oss-20b"))
    assert problems(boamps(), report) == []
    assert report["measures"][0]["powerConsumption"] == pytest.approx(884 / 3.6e6)
    assert report["task"]["nbRequest"] == 20
    assert report["environment"] == {"country": "Japan", "powerSourceCarbonIntensity": 485.392}
    del report["measures"][0]["powerConsumption"]
    assert problems(boamps(), report) != []


def test_boamps_names_the_country_of_a_region_and_its_city() -> None:
    tokyo = replace(FULL, place=read_place("gcp:asia-northeast1", None, None, str))
    assert written("boamps", sheet_of(tokyo))["environment"] == {
        "country": "Japan",
        "location": "Tokyo",
        "powerSourceCarbonIntensity": 449.23,
    }
    assert "environment" not in written("boamps", sheet_of(replace(FULL, place=None)))


def test_boamps_is_refused_where_there_is_no_one_task_or_no_energy() -> None:
    with pytest.raises(SettingError) as several:
        render("boamps", sheet_of(a_report_run()))
    assert str(several.value) == (
        "A BoAmps report is of one task, and the run has 10 tests: name one with --test."
    )
    with pytest.raises(SettingError) as nothing:
        render("boamps", sheet_of(a_run(NOTHING)))
    assert str(nothing.value) == (
        "A BoAmps report needs energy, and tests/test_chat.py::test_nothing has none: "
        "nvml: driver not loaded."
    )


@pytest.mark.once
def test_a_large_run_holds_to_the_schema_of_spdx() -> None:
    assert problems(spdx(), written("spdx", sheet_of(a_report_run()))) == []


def test_the_same_sheet_is_the_same_document() -> None:
    assert render("spdx", sheet_of(FULL)) == render("spdx", sheet_of(FULL))
    assert render("spdx", sheet_of(FULL)) != render("spdx", sheet_of(FULL, "another"))


@pytest.mark.once
@pytest.mark.parametrize("name", [name for name in SHEETS if name != "boamps"])
def test_hostile_text_stays_text(name: str) -> None:
    hostile = replace(a_hostile_run(), place=PLACE)
    text = render(name, sheet_of(hostile, "\n".join(HOSTILE), HOSTILE[1]))
    assert all(line.isprintable() for line in text.splitlines())
    if name == "markdown":
        assert tags_of(GFM.render(text)) <= PLAIN_TAGS
    else:
        assert json.loads(text)


def test_what_a_sheet_answers_it_answers_in_spdx_too() -> None:
    for sheet in (sheet_of(FULL, "gpt-oss-20b"), sheet_of(replace(a_run(a_record()), place=PLACE), "x")):
        assert left_out(written("spdx", sheet)) == left_out(written("json", sheet))


def test_boamps_has_no_place_for_some_of_it() -> None:
    missing = left_out(written("boamps", sheet_of(FULL, "gpt-oss-20b")))
    assert missing is not None
    assert [item.name for item in missing] == [
        "failed_requests",
        "input_lengths",
        "output_lengths",
        "scope",
        "whole_system",
        "wh_per_token",
        "uncertainty",
        "pue",
        "place",
    ]


@pytest.mark.parametrize(
    "document",
    [
        {"sheet": 1, "workloads": []},
        {"sheet": 1, "workloads": [1, None, {}], "meter": "nvml", "place": [], "hardware": {"name": "x"}},
        {"@context": "x"},
        {"@graph": 3},
        {"@graph": [{"type": "ai_AIPackage", "ai_metric": {"key": "pue"}, "ai_energyConsumption": "much"}]},
        {"measures": [], "task": None},
        {"measures": {"powerConsumption": 1}, "task": {"nbRequest": "many", "algorithms": [[]]}},
    ],
)
def test_a_sheet_that_says_nothing_leaves_all_out(document: Any) -> None:
    assert left_out(document) == ITEMS


@pytest.mark.parametrize("document", [None, [], 3, "sheet", {}, {"sheet": 1}, {"format": 1, "records": []}])
def test_what_is_no_sheet_is_known_as_none(document: Any) -> None:
    assert left_out(document) is None


def test_energy_in_an_unknown_unit_is_left_out() -> None:
    document = written("spdx", sheet_of(FULL, "x"))
    energy = package_of(document)["ai_energyConsumption"]["ai_inferenceEnergyConsumption"][0]
    energy["ai_energyUnit"] = "other"
    missing = left_out(document)
    assert missing is not None
    assert [item.name for item in missing] == ["energy"]


@pytest.mark.parametrize("method", ["estimate", "modelled"])
@pytest.mark.parametrize("kind", ["json", "spdx"])
def test_how_far_a_model_is_off_is_left_out(method: Method, kind: str) -> None:
    interval = {"wh_per_query": (0.09, 0.11)}
    measured, modelled = (a_record(method=one, interval95=interval) for one in ("counter", method))
    said = [left_out(written(kind, sheet_of(a_run(record), "x"))) or () for record in (measured, modelled)]
    assert [sum(item.name == "uncertainty" for item in items) for items in said] == [0, 1]
    page = render("markdown", sheet_of(a_run(modelled)))
    assert "standard uncertainty" not in page
    assert "calibration" not in page


def test_what_is_an_estimate_says_so_once() -> None:
    run = replace(FULL, records=(a_record(method="estimate"),), rig=replace(RIG, source="estimate"))
    page = render("markdown", sheet_of(run))
    assert "| estimate, idle draw included |" in page
