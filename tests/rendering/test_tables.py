"""CSV, OpenMetrics, JUnit properties and GitHub's commands, of hostile text and of a lot of it."""

import csv
import re
from dataclasses import replace
from io import StringIO
from urllib.parse import unquote

import pytest
from report_run import HOSTILE, a_hostile_run, a_report_run, against, measured
from samples import FULL, MEASUREMENT, NOTHING, a_record, a_run

from pytest_whq.rendering import csvtable, github, junit, openmetrics
from pytest_whq.rendering.words import one_line


def read(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_a_line_of_csv_has_the_figures_of_its_test() -> None:
    first, nothing = read(csvtable.render(a_run(a_record(), NOTHING)))
    assert first["test"] == "tests/test_chat.py::test_short"
    assert first["wh_per_query"] == repr(MEASUREMENT.wh_per_query)
    assert (first["reasons"], first["commit"], first["devices"]) == ("", "c0ffee", "NVIDIA H200")
    assert (nothing["reasons"], nothing["wh_per_query"], nothing["energy_j"]) == ("no_source", "", "")
    assert None not in first


def test_what_a_model_is_off_by_is_no_figure_of_a_csv() -> None:
    measured, estimated = read(csvtable.render(a_run(a_record(), a_record(method="estimate"))))
    assert measured["uncertainty_j"]
    assert estimated["uncertainty_j"] == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_of_csv_begins_a_formula(text: str) -> None:
    (row,) = read(csvtable.render(a_run(a_record(text))))
    assert one_line(text) in (row["test"], row["test"].removeprefix("'"))
    assert not row["test"].startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", " =1", "＝1"])
def test_what_would_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert read(csvtable.render(a_run(a_record(text))))[0]["test"] == f"'{text}"


def test_a_negative_figure_stays_a_number() -> None:
    assert read(csvtable.render(a_run(a_record(net_energy_j=-3.5))))[0]["net_energy_j"] == "-3.5"


def test_open_metrics_escape_their_labels_and_leave_out_what_does_not_stand() -> None:
    text = openmetrics.render(a_hostile_run())
    label = r'\w+="(?:[^"\\]|\\\\|\\")*"'
    sample = re.compile(rf"whq_\w+\{{{label}(,{label})*\}} [-\d.e]+")
    for line in text.splitlines():
        assert line.startswith("#") or sample.fullmatch(line)
    assert text.endswith("# EOF\n")
    assert "# TYPE whq_wh_per_query" not in openmetrics.render(a_run(NOTHING))
    assert openmetrics.render(a_run()) == "# EOF\n"


def test_open_metrics_tell_how_figures_were_made_and_what_became_of_them() -> None:
    lines = openmetrics.render(a_run(FULL)).splitlines()
    made = 'device="NVIDIA H200",source="nvml",method="counter",estimated="false"'
    assert any(line.startswith(f'whq_wh_per_query{{test="{FULL.test}",{made}}} 0.01') for line in lines)
    assert any(line.startswith("whq_run_info{") and 'commit="c0ffee"' in line for line in lines)
    of = f'{{test="{FULL.test}",metric='
    assert f'whq_budget_failing{of}"wh_per_1k_tokens",from="whq.toml, budgets[0]"}} 1.0' in lines
    assert f'whq_comparison_info{of}"wh_per_query",outcome="unchanged"}} 1' in lines
    assert f'whq_change_ratio{of}"wh_per_query"}} 0.032' in lines


def test_properties_tell_metrics_and_verdicts() -> None:
    found = dict(junit.properties(FULL, "nvml"))
    assert found["whq.wh_per_query"] == repr(MEASUREMENT.wh_per_query)
    assert found["whq.method"] == "counter"
    assert found["whq.reasons"] == "imprecise throttled"
    assert (found["whq.budget.wh_per_query"], found["whq.budget.wh_per_query.limit"]) == ("within", "0.05")
    assert found["whq.budget.wh_per_1k_tokens"] == "unmeasured"
    assert (found["whq.comparison"], found["whq.change"]) == ("unchanged", "0.032")
    assert dict(junit.properties(NOTHING, None)) == {
        "whq.valid": "false",
        "whq.estimated": "false",
        "whq.reasons": "no_source",
        "whq.queries": "0",
        "whq.failed_queries": "0",
    }


def decoded(text: str) -> str:
    return unquote(text, errors="surrogateescape")


def test_commands_hold_hostile_text_on_their_line_and_in_their_place() -> None:
    run = a_hostile_run()
    run = replace(run, records=run.records[:10])
    lines = github.render(run).splitlines()
    assert len(lines) == 10
    for line, text in zip(lines, HOSTILE, strict=False):
        found = re.fullmatch(r"::error file=([^,:]*),title=([^,:]*)::(.*)", line)
        assert found is not None
        assert decoded(found[1]) == "tests/test_it.py"
        assert decoded(found[3]).startswith(f"test_it.py::test[{one_line(text)}]\n")


def test_at_most_ten_commands_are_given_and_the_last_one_counts_the_rest() -> None:
    records = [
        measured(f"test_it.py::test_{n}", 1.0, comparison=against(0.5, 1.0, "regressed")) for n in range(25)
    ]
    lines = github.render(a_run(*records), level="warning").splitlines()
    assert len(lines) == 10
    begins = "::warning file=tests/test_it.py,title=Energy%3A regressed::test_it.py::test_0%0A"
    assert lines[0].startswith(begins)
    assert lines[-1] == "::warning title=Energy::and 16 more tests fail"


def test_a_command_names_the_line_of_its_test_where_that_is_known() -> None:
    record = measured("test_it.py::test", 1.0, comparison=against(0.5, 1.0, "regressed"))
    (line,) = github.render(a_run(replace(record, line=7)), folder="service").splitlines()
    assert line.startswith("::error file=service/tests/test_it.py,line=7,title=Energy%3A regressed::")


def test_a_run_in_which_nothing_fails_gives_no_command() -> None:
    records = [record for record in a_report_run().records if record.comparison is None]
    assert github.render(a_run(*records)) == ""


def test_a_test_that_is_expected_to_fail_gives_no_command() -> None:
    record = measured("test_it.py::test", 1.0, comparison=against(0.5, 1.0, "regressed"))
    assert github.render(a_run(record)) != ""
    assert github.render(a_run(replace(record, outcome="xfailed"))) == ""
