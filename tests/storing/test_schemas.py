"""The JSON Schemas in docs/: those of the readers, and true of what is written.

WHQ_SCHEMAS=write writes them anew.
"""

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from measured_project import MeasuredProject
from samples import EXAMPLE, FULL, NOTHING, a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.model.baseline import Baseline, accept
from pytest_whq.storing.baseline_file import baseline_as_json, baseline_from_dict
from pytest_whq.storing.runfile import run_as_json, run_from_dict
from pytest_whq.storing.schemas import baseline_schema, run_schema, schema_as_json

ROOT = Path(__file__).parents[2]
GOLDEN = (ROOT / "tests/rendering/golden/json.json").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "schema"), [("run.schema.json", run_schema), ("baseline.schema.json", baseline_schema)]
)
def test_the_schema_in_the_docs_is_that_of_the_readers(
    name: str, schema: Callable[[], dict[str, Any]]
) -> None:
    path, text = ROOT / "docs" / name, schema_as_json(schema())
    if os.environ.get("WHQ_SCHEMAS") == "write":
        path.write_text(text, "utf-8")
    assert path.read_text("utf-8") == text, f"see git diff after WHQ_SCHEMAS=write: {path}"
    Draft202012Validator.check_schema(json.loads(text))


RUNS = Draft202012Validator(run_schema())
BASELINES = Draft202012Validator(baseline_schema())


@pytest.mark.parametrize(
    "text",
    [
        GOLDEN,
        EXAMPLE,
        run_as_json(a_run(a_record(), FULL, NOTHING)),
        run_as_json(a_run()),
    ],
    ids=["golden", "example", "full", "empty"],
)
def test_every_run_that_is_written_is_of_its_schema(text: str) -> None:
    RUNS.validate(json.loads(text))


def a_baseline() -> Baseline:
    found = accept(Baseline({}), a_run(a_record())).baseline
    return accept(found, run_from_dict(json.loads(GOLDEN), "golden")).baseline


def test_a_baseline_that_is_written_is_of_its_schema() -> None:
    BASELINES.validate(json.loads(baseline_as_json(a_baseline())))


def test_what_a_session_writes_is_of_its_schema(project: MeasuredProject) -> None:
    project.tests("def test_it(whq, client): whq(client.chat, 'Say hi.')")
    accepted = project.run("--whq-json=run.json", "--whq-update-baseline", "--whq-max=wh_per_query=1")
    accepted.assert_outcomes(passed=1)
    project.run("--whq-json=again.json").assert_outcomes(passed=1)
    for name in ("run.json", "again.json"):
        RUNS.validate(json.loads((project.pytester.path / name).read_text("utf-8")))
    BASELINES.validate(json.loads((project.pytester.path / "whq-baseline.json").read_text("utf-8")))


WRONG: list[Mapping[str, Any]] = [
    {"outcome": "error"},
    {"method": "guess"},
    {"reasons": ["boredom"]},
    {"energy_j": -1.0},
    {"queries": 1.5},
    {"colour": "red"},
    {"metrics": {"wh_per_mile": 1.0}},
    {"interval95": {"wh_per_query": [1.0]}},
    {"rounds": None},
    {"why": {"boredom": "it was dull"}},
    {"failures": {"TimeoutError": -1}},
]


@pytest.mark.parametrize("change", WRONG, ids=str)
def test_what_the_schema_refuses_the_reader_refuses_too(change: Mapping[str, Any]) -> None:
    document = json.loads(run_as_json(a_run(FULL)))
    document["records"][0].update(change)
    assert not RUNS.is_valid(document)
    with pytest.raises(RunFileError):
        run_from_dict(document, "run.json")


@pytest.mark.parametrize("change", [{"queries": 0}, {"energy_j": 0.0}, {"method": "guess"}, {"rounds": None}])
def test_a_baseline_that_its_schema_refuses_is_not_read(change: Mapping[str, Any]) -> None:
    document = json.loads(baseline_as_json(a_baseline()))
    document["runs"][0]["records"][0].update(change)
    assert not BASELINES.is_valid(document)
    with pytest.raises(RunFileError):
        baseline_from_dict(document, "whq-baseline.json")
