"""The exports to other tools' histories, held to what those tools read."""

import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft7Validator
from report_run import a_report_run
from samples import FULL, NOTHING, a_record, a_run

from pytest_whq.model import METRICS, Reason, Run
from pytest_whq.rendering import EXPORTS

# What the README of benchmark-action/github-action-benchmark says of its tool customSmallerIsBetter: a
# list of results, `range` and `extra` being optional; it fails where the list is empty.
GITHUB_BENCHMARK = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["name", "unit", "value"],
        "additionalProperties": False,
        "properties": {
            "name": {"type": "string", "minLength": 1},
            "unit": {"type": "string", "minLength": 1},
            "value": {"type": "number"},
            "range": {"type": ["string", "number"]},
            "extra": {"type": "string"},
        },
    },
}

# Of https://bencher.dev/docs/reference/bencher-metric-format: benchmark -> measure -> metric. Its own schema
# takes any names; the page says how long they may be, and what a slug is made of is Bencher's rule for slugs.
BENCHER = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"minLength": 1, "maxLength": 1024},
    "additionalProperties": {
        "type": "object",
        "minProperties": 1,
        "propertyNames": {"pattern": "^[a-z0-9]+(-[a-z0-9]+)*$", "maxLength": 64},
        "additionalProperties": {
            "type": "object",
            "required": ["value"],
            "additionalProperties": False,
            "properties": {name: {"type": "number"} for name in ("value", "lower_value", "upper_value")},
        },
    },
}

SCHEMAS = {"github-benchmark": GITHUB_BENCHMARK, "bencher": BENCHER}

UNREADABLE = replace(
    a_record("test_chat.py::test_invalid").measurement, reasons=(Reason("counter_reset", "it fell"),)
)
RUNS = {
    "reports": a_report_run(),
    "full": a_run(a_record(), FULL, NOTHING),
    "long": a_run(
        *(a_record(f"test_chat.py::test_long[{'prompt ' * 300}{end}{'é' * 600}]") for end in ("a", "b"))
    ),
    "invalid": a_run(a_record(), replace(a_record("test_chat.py::test_invalid"), measurement=UNREADABLE)),
}


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


def exported(name: str, run: Run) -> Any:
    return json.loads(EXPORTS[name](run), parse_constant=refuse)


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
@pytest.mark.parametrize("name", SCHEMAS)
def test_an_export_is_what_its_tool_reads(name: str, run: Run) -> None:
    Draft7Validator(SCHEMAS[name]).validate(exported(name, run))


@pytest.mark.parametrize("run", RUNS.values(), ids=RUNS)
def test_every_test_that_has_a_figure_is_exported_by_a_name_of_its_own(run: Run) -> None:
    figures = [
        record.test for record in run.records if record.measurement.why_invalid("wh_per_query") is None
    ]
    assert len(exported("bencher", run)) == len(figures)
    names = [entry["name"] for entry in exported("github-benchmark", run)]
    assert len(set(names)) == len(names)
    assert sum(name.endswith(" wh_per_query") for name in names) == len(figures)


def test_names_that_bencher_takes_stay_as_they_are_and_others_are_short_enough() -> None:
    assert list(exported("bencher", a_run(a_record("test_a[é]")))) == ["test_a[é]"]
    for name in exported("bencher", RUNS["long"]):
        assert len(name.encode()) <= 1024
        assert name.startswith("test_chat.py::test_long[prompt ")


def test_a_value_stands_between_its_bounds() -> None:
    for measures in exported("bencher", RUNS["reports"]).values():
        assert {name.replace("-", "_") for name in measures} <= set(METRICS)
        for metric in measures.values():
            if "lower_value" in metric:
                assert metric["lower_value"] <= metric["value"] <= metric["upper_value"]
