import json
import re
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import COMPARISON, EXAMPLE, FULL, NOTHING, RIG, WITHIN, a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.model import METRICS, Commit, Reason, Round
from pytest_whq.storing.records import (
    record_as_dict,
    record_from_dict,
    rig_as_dict,
    rig_from_dict,
)
from pytest_whq.storing.runfile import read_run, run_as_json


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(RunFileError, match=f"^{re.escape(message)}$")


def stored(path: Path, **changes: Any) -> Path:
    """A run file whose second record is changed at dotted paths (``metrics.wh_total``)."""
    document = json.loads(run_as_json(a_run(a_record(), FULL)))
    for dotted, value in changes.items():
        *outer, last = dotted.split(".")
        inner = document["records"][1]
        for step in outer:
            inner = inner[int(step) if step.isdigit() else step]
        inner[int(last) if last.isdigit() else last] = value
    path.write_text(json.dumps(document))
    return path


def test_a_record_is_written_with_the_names_and_in_the_order_of_the_design() -> None:
    written = record_as_dict(a_record(budgets=(WITHIN,), comparison=COMPARISON))
    example = json.loads(EXAMPLE)["records"][0]
    assert list(written) == list(example)
    assert list(written["metrics"]) == list(METRICS)
    assert list(written["rounds"][0]) == list(example["rounds"][0])
    assert list(written["budgets"][0]) == list(example["budgets"][0])
    assert written["comparison"] == example["comparison"]
    assert json.loads(json.dumps(written)) == written


def test_records_and_rigs_cross_processes_as_plain_data() -> None:
    for record in (a_record(), FULL, NOTHING):
        assert record_from_dict(record_as_dict(record), "gw0") == record
    assert rig_from_dict(rig_as_dict(RIG), "gw0") == RIG


def test_sentences_of_one_code_are_joined() -> None:
    reasons = (Reason("throttled", "GPU 0 was hot"), Reason("throttled", "GPU 1 was hot"))
    written = record_as_dict(a_record(reasons=reasons))
    assert written["reasons"] == ["throttled"]
    assert written["why"] == {"throttled": "GPU 0 was hot; GPU 1 was hot"}


def test_sentences_may_be_absent() -> None:
    written = record_as_dict(FULL)
    del written["why"]
    del written["budgets"][1]["why"]
    record = record_from_dict(written, "gw0")
    assert record.measurement.reasons == (Reason("imprecise", ""), Reason("throttled", ""))
    assert record.budgets[1].why is None


def test_a_comparison_has_what_explains_it_and_nothing_else() -> None:
    per_token = replace(COMPARISON, metric="j_per_output_token")
    explained = replace(
        COMPARISON,
        limit=0.05,
        origin="marker",
        runs=3,
        created="2026-11-23T08:00:00Z",
        commit=Commit("c0ffee", None, True),
        why="too noisy",
        differences=("scope gpu, in the baseline module",),
        likely_cause="longer answers",
        per_token=per_token,
    )
    record = a_record(comparison=explained)
    written = record_as_dict(record)["comparison"]
    assert written["from"] == "marker"
    assert list(written["per_token"]) == ["metric", "baseline", "change", "interval95", "outcome"]
    assert record_from_dict(json.loads(json.dumps(record_as_dict(record))), "gw0") == record


def test_net_energy_may_be_below_zero() -> None:
    record = a_record(net_energy_j=-0.5, rounds=(Round(177.1, -0.1, 1.24, 4, None, None),))
    assert record_from_dict(record_as_dict(record), "gw0") == record


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("energy_j", -884.0, "is -884.0, but must be a finite number from 0 up"),
        ("energy_j", float("nan"), "is NaN, but must be a finite number from 0 up"),
        ("energy_j", float("inf"), "is Infinity, but must be a finite number from 0 up"),
        ("energy_j", 1e300, "is 1e+300, but must be a finite number from 0 up"),
        ("energy_j", "884", 'is "884", but must be a finite number from 0 up'),
        ("energy_j", True, "is true, but must be a finite number from 0 up"),
        ("duration_s", None, "is null, but must be a finite number from 0 up"),
        ("net_energy_j", float("-inf"), "is -Infinity, but must be a finite number"),
        ("queries", -1, "is -1, but must be a whole number from 0 up"),
        ("queries", 20.0, "is 20.0, but must be a whole number from 0 up"),
        ("queries", False, "is false, but must be a whole number from 0 up"),
        ("output_tokens", 2**60, "is 1152921504606846976, but must be a whole number from 0 up"),
        ("test", 7, "is 7, but must be a string"),
        (
            "test",
            "tests/test_chat.py::test_short",
            'is "tests/test_chat.py::test_short", which another record has',
        ),
        (
            "outcome",
            "error",
            'is "error", but must be one of passed, failed, skipped, xfailed, xpassed, interrupted',
        ),
        ("valid", 1, "is 1, but must be true or false"),
        ("valid", False, "is false, but the reasons say otherwise"),
        ("method", "guess", 'is "guess", but must be one of counter, power, estimate, modelled'),
        ("metrics.wh_per_query", 0.0123, "is 0.0123, but the other fields give 0.012277777777777778"),
        ("metrics.wh_per_query", None, "is null, but the other fields give 0.012277777777777778"),
        ("metrics.wh_per_mile", 1.0, "is not a field of this format"),
        ("interval95.wh_per_query", [2.0, 1.0], "is [2.0, 1.0], but its lower end must come first"),
        ("interval95.wh_per_query", [1.0], "is [1.0], but must be a list of two numbers"),
        ("interval95.wh_per_mile", [1.0, 2.0], "is not a field of this format"),
        ("rounds", {}, "is {}, but must be a list"),
        ("rounds.0", None, "is null, but must be an object"),
        ("rounds.0.energy_j", [], "is [], but must be a finite number from 0 up"),
        ("devices.0.energy_j", -1, "is -1, but must be a finite number from 0 up"),
        (
            "budgets.0.outcome",
            "fine",
            'is "fine", but must be one of within, exceeded, unmeasured, not_judged',
        ),
        ("budgets.0.origin", "marker", "is not a field of this format"),
        ("comparison.change", "3 %", 'is "3 %", but must be a finite number'),
        ("why.estimated", "no sensor", "explains a code that is not among the reasons"),
        ("colour\n", "red", "is not a field of this format"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, field: str, value: object, problem: str) -> None:
    path = stored(tmp_path / "run.json", **{field: value})
    named = re.sub(r"\.(\d+)", r"[\1]", field).replace("\n", "\\n")
    with says(f"{path}: records[1].{named} {problem}. Record the run again."):
        read_run(path)


def test_unknown_reasons_and_metrics_are_named_with_those_there_are(tmp_path: Path) -> None:
    path = stored(tmp_path / "run.json", reasons=["imprecise", "gremlins"])
    with pytest.raises(RunFileError) as error:
        read_run(path)
    assert str(error.value).startswith(
        f'{path}: records[1].reasons[1] is "gremlins", but must be one of no_source, source_error'
    )
    path = stored(tmp_path / "run.json", **{"budgets.0.metric": "joules"})
    with says(
        f'{path}: records[1].budgets[0].metric is "joules", but must be one of {", ".join(METRICS)}. '
        "Record the run again."
    ):
        read_run(path)


@pytest.mark.parametrize("metric", METRICS)
def test_a_record_of_before_a_metric_there_was_is_read(metric: str) -> None:
    written = record_as_dict(FULL)
    del written["metrics"][metric]
    assert record_from_dict(written, "gw0") == FULL


@pytest.mark.parametrize("field", [name for name in record_as_dict(FULL) if name != "why"])
def test_a_missing_field_is_named(field: str) -> None:
    written = record_as_dict(FULL)
    del written[field]
    with says(f"gw0: {field} is missing. Record the run again."):
        record_from_dict(written, "gw0")


def test_a_budget_of_nothing_is_no_budget(tmp_path: Path) -> None:
    for limit in (0, 5e-324):
        path = stored(tmp_path / "run.json", **{"budgets.0.limit": limit})
        with says(
            f"{path}: records[1].budgets[0].limit is {limit}, but must be above 0. Record the run again."
        ):
            read_run(path)
