"""An imported run goes wherever a measured one goes: files, tables, budgets, comparisons, reports."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from imported import SAMPLES, Import, api_row, written

from pytest_whq.cli import main
from pytest_whq.errors import RunFileError
from pytest_whq.rendering import RENDERERS
from pytest_whq.storing.runfile import read_run, run_from_dict

GB200 = str(SAMPLES / "inferencemax_gb200.json")


@pytest.fixture
def modelled(whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A run of four modelled rows."""
    whq_import("inferencemax", GB200, "--length-factor", "0.9")
    capsys.readouterr()
    return tmp_path / "run.json"


def document(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_a_record_says_what_is_known_and_null_for_the_rest(modelled: Path) -> None:
    record = document(modelled)["records"][0]
    assert record["method"] == "modelled"
    assert [record[name] for name in ("queries", "failed_queries", "energy_j", "duration_s")] == [None] * 4
    assert record["reasons"] == ["modelled"]
    assert record["metrics"]["wh_per_query"] == record["modelled_wh_per_query"]
    assert record["metrics"]["wh_total"] is None
    assert record["corrected_wh_per_query"] == pytest.approx(0.9 * record["modelled_wh_per_query"])
    setup = record["imported"]["setup"]
    assert setup["model"] == "deepseek-ai/DeepSeek-R1"
    assert [setup[name] for name in ("precision", "framework", "hardware", "gpus")] == [
        "fp8",
        "dynamo-sglang",
        "GB200",
        72,
    ]
    assert [setup[name] for name in ("concurrency", "input_length", "output_length")] == [2048, 8192, 1024]
    assert [setup[name] for name in ("speculative_decoding", "image")] == [
        "none",
        "lab/sglang:1.0",
    ]
    assert "disaggregated" in setup["flags"]


def changed(path: Path, change: dict[str, Any]) -> dict[str, Any]:
    data = document(path)
    data["records"][0] |= change
    return data


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"modelled_wh_per_query": 0.5}, "modelled_wh_per_query is 0.5, but the other fields give 1.02"),
        ({"corrected_wh_per_query": None}, "corrected_wh_per_query is null, but the other fields give 0.92"),
        ({"method": "guessed"}, 'method is "guessed", but must be one of counter, power, estimate, modelled'),
        ({"imported": {}}, "imported.kind is missing"),
        ({"queries": 3.5}, "queries is 3.5, but must be a whole number from 0 up"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_record_that_contradicts_itself_is_refused(
    change: dict[str, Any], field: str, modelled: Path
) -> None:
    with pytest.raises(RunFileError) as error:
        run_from_dict(changed(modelled, change), "run.json")
    assert f"run.json: records[0].{field}" in str(error.value)


@pytest.mark.parametrize("name", ["queries", "failed_queries", "duration_s"])
def test_what_is_unknown_is_so_in_imported_records_alone(
    name: str, whq_import: Import, tmp_path: Path
) -> None:
    whq_import("ml-energy", str(SAMPLES / "ml_energy_text.json"))
    data = document(tmp_path / "run.json")
    record = data["records"][0]
    record |= dict.fromkeys(("queries", "failed_queries", "duration_s"), 0)
    record["metrics"] = dict.fromkeys(record["metrics"])
    for extra in ("imported", "modelled_wh_per_query", "corrected_wh_per_query"):
        del record[extra]
    data["records"] = [record]
    assert run_from_dict(data, "run.json").records[0].measurement.imported is None
    record[name] = None
    with pytest.raises(RunFileError, match=f"{name} is null, but must be a"):
        run_from_dict(data, "run.json")


def test_a_figure_of_imported_records_has_no_place_in_others(modelled: Path) -> None:
    data = document(modelled)
    del data["records"][0]["imported"]
    with pytest.raises(RunFileError):
        run_from_dict(data, "run.json")


@pytest.mark.parametrize(
    "names", [("aiperf_0.13.json", "aiperf_0.3.json"), ("aiperf_0.3.json", "aiperf_0.13.json")]
)
def test_devices_that_share_an_id_and_not_a_name_are_two(
    names: tuple[str, str], whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = whq_import("aiperf", *(str(SAMPLES / name) for name in names))
    found = {
        record.test: [device.name for device in run.rig.of_devices(record.measurement.device_ids).devices]
        for record in run.records
    }
    rtx = "NVIDIA RTX 6000 Ada Generation"
    assert found == {"mock-model 1xH100[conc=2]": ["H100"], f"lab/tiny 1x{rtx}[conc=1]": [rtx]}
    budgets = tmp_path / "whq.toml"
    budgets.write_text('[[budgets]]\nwh_per_query = 0.05\nhardware = "NVIDIA RTX*"\n')
    capsys.readouterr()
    assert main(["check", str(tmp_path / "run.json"), "--budgets", str(budgets)]) == 1
    assert "109 mWh" in capsys.readouterr().out


def test_devices_of_one_id_and_one_name_are_one_and_keep_their_id(whq_import: Import) -> None:
    run = whq_import("aiperf", *[str(SAMPLES / "aiperf_0.13.json")] * 2)
    assert [device.id for device in run.rig.devices] == ["GPU-11111111-2222-3333-4444-555555555555"]


@pytest.mark.parametrize("name", RENDERERS)
def test_every_report_has_the_figure(name: str, modelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", str(modelled), "--format", name]) == 0
    shown = capsys.readouterr().out.replace("&nbsp;", " ")
    assert "1.02 Wh" in shown or "1.024" in shown
    assert "modelled" in shown or name == "openmetrics"
    assert "Python not told" not in shown


def test_the_terminal_shows_it_like_a_test(modelled: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "-v", str(modelled)]) == 0
    _, first, *_, last = capsys.readouterr().out.splitlines()
    cells = re.split(" {2,}", first)
    assert cells[1:5] == ["1.02 Wh", "unknown", "unknown", "3.60 J"]
    assert last == "4 modelled · GB200 · inferencemax modelled · gross, all-in: GPU, server, hall"


def test_budgets_judge_it_by_its_own_hardware(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [api_row(0), api_row(1) | {"hardware": "b200"}]
    whq_import("inferencex", written(tmp_path / "api.json", rows))
    budgets = tmp_path / "whq.toml"
    budgets.write_text('[[budgets]]\nhardware = "MI355X"\nwh_per_query = 1.5\n')
    capsys.readouterr()
    assert main(["check", str(tmp_path / "run.json"), "--budgets", str(budgets)]) == 1
    said = capsys.readouterr().out
    assert "wh_per_query is 1.71 Wh, 13.8 % over its budget of 1.50 Wh" in said
    assert "unknown queries" in said
    assert '1 test not judged: the budget is for hardware "MI355X", and this is B200' in said


def test_it_enters_a_baseline_and_is_compared_with_it(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    base, head = tmp_path / "base.json", tmp_path / "head.json"
    for path, watts in ((base, 600.0), (head, 1200.0)):
        row = api_row(0, avg_power_w=watts, joules_per_total_token=watts / 200)
        assert main(["import", "inferencex", written(tmp_path / "api.json", row), "-o", str(path)]) == 0
    baseline = str(tmp_path / "baseline.json")
    assert main(["accept", str(base), "--baseline", baseline]) == 0
    capsys.readouterr()
    assert main(["check", str(head), "--baseline", baseline]) == 1
    assert "+100.0 %   regressed" in capsys.readouterr().out
    assert main(["check", str(base), "--baseline", baseline]) == 0
    assert main(["compare", str(base), "--", str(head)]) == 1


def test_a_modelled_figure_is_not_compared_with_a_measured_one(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    measured, modelled = tmp_path / "measured.json", tmp_path / "modelled.json"
    for path, row in ((measured, api_row(0)), (modelled, api_row(0, power_valid=0))):
        assert main(["import", "inferencex", written(tmp_path / "api.json", row), "-o", str(path)]) == 0
    capsys.readouterr()
    assert main(["compare", str(measured), "--", str(modelled)]) != 0
    assert "not comparable" in capsys.readouterr().out


def test_reading_gives_back_what_was_written(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("aiperf", str(SAMPLES / "aiperf_0.3.json"))
    assert read_run(tmp_path / "run.json") == run


def test_a_run_is_of_when_its_results_were_measured_and_not_imported(whq_import: Import) -> None:
    results, log = SAMPLES / "vllm_two_busy.json", SAMPLES / "vllm_two_busy_power.csv"
    run = whq_import("vllm-bench", str(results), "--power", str(log))
    assert run.created == run.measured_from == "2026-06-11T04:54:40Z"


def test_a_day_alone_says_no_more_than_the_day(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("inferencemax", written(tmp_path / "rows.json", [api_row(0), api_row(1)]))
    assert (run.created, run.measured_from) == ("2026-06-01T00:00:00Z", "2026-06-01")


@pytest.mark.parametrize(
    ("date", "created"),
    [
        ("20260714", "2026-07-14T00:00:00Z"),
        ("2026-07-14T01:00:00Z", "2026-07-14T01:00:00Z"),
        ("2026-07-14T01:00:00+09:00", "2026-07-14T00:00:00Z"),
        ("2026-07-14T99:00:00Z", "2026-07-14T00:00:00Z"),
    ],
)
def test_a_date_of_any_form_makes_a_run_that_can_be_read(
    date: str, created: str, whq_import: Import, tmp_path: Path
) -> None:
    row = api_row(0) | {"date": date}
    assert whq_import("inferencemax", written(tmp_path / "rows.json", {"results": [row]})).created == created


def test_a_date_that_is_none_is_no_time_of_measuring(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("inferencemax", written(tmp_path / "rows.json", api_row(0) | {"date": "last week"}))
    assert run.measured_from is None


def test_energy_by_role_is_in_the_report(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    power = {"power_valid": 1, "power_metric_schema_version": 2, "total_gpu_energy_j": 36000.0}
    power |= {"joules_per_successful_query": 360.0}
    roles = {"prefill_gpu_energy_j": 10240.0, "decode_gpu_energy_j": 25760.0}
    row = api_row(0, **power, **roles) | {"disagg": True, "num_prefill_gpu": 4, "num_decode_gpu": 8}
    whq_import("inferencemax", written(tmp_path / "rows.json", row))
    capsys.readouterr()
    assert main(["show", str(tmp_path / "run.json"), "--format", "markdown"]) == 0
    said = capsys.readouterr().out.replace("&nbsp;", " ")
    assert "| prefill | 4 | 2.84 Wh | 100 mJ/input token |" in said
    assert "| decode | 8 | 7.16 Wh | 252 mJ/output token |" in said
    assert "- measured 2026-06-01, " in said


def test_a_sheet_of_results_without_a_date_tells_no_period(
    modelled: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["disclose", str(modelled)]) == 0
    said = capsys.readouterr().out
    assert "- when it was measured, and for how long (`period`)" in said
    assert "| which model served the requests | deepseek-ai/DeepSeek-R1 |" in said
    assert "| on which devices they ran | 72 x GB200 |" in said
    assert "\nISL/OSL 8192/1024 are nominal: random lengths average about 0.9 of them" in said.replace(
        "\\", ""
    )
    assert main(["show", str(modelled), "--format", "markdown"]) == 0
    assert re.search(r"imported \d{4}-\d\d-\d\d \d\d:\d\d UTC, ", capsys.readouterr().out)


def test_devices_that_differ_from_row_to_row_have_no_number(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    whq_import("inferencemax", written(tmp_path / "rows.json", [api_row(0), api_row(1)]))
    assert main(["disclose", str(tmp_path / "run.json")]) == 0
    said = capsys.readouterr().out
    assert "| on which devices they ran | MI355X |" in said
    assert "| when it was measured, and for how long | from 2026-06-01 on, how long is not told |" in said
