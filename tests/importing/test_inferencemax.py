"""InferenceMAX and InferenceX: the article's figures, measured power, the spellings of its rows."""

import zipfile
from pathlib import Path
from typing import Any

import pytest
from imported import FOLLOW_UP, MEASURED, SAMPLES, Import, api_row, notes, written

from pytest_whq.importing.hardware import gpu_named
from pytest_whq.model import Run

GB200 = str(SAMPLES / "inferencemax_gb200.json")


def wh(run: Run) -> list[float]:
    return [record.measurement.wh_per_query or 0.0 for record in run.records]


def test_a_rack_s_row_costs_what_its_watts_and_tokens_give(
    whq_import: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    run = whq_import("inferencemax", GB200, "--where", "conc=2048")
    (record,) = [one for one in run.records if "conc=2048" in one.test]
    assert (
        record.test
        == "deepseek-ai/DeepSeek-R1 fp8 72xGB200 dynamo-sglang 8k/1k prefill=40,decode=32[conc=2048]"
    )
    # 2100 W / 5250 tokens/s x 9216 tokens / 3600; 1.024 Wh / 200 W x 60 are 0.3072 minutes of a PS5
    assert record.measurement.wh_per_query == pytest.approx(1.024)
    assert record.measurement.modelled_wh_per_query == record.measurement.wh_per_query
    assert [reason.code for reason in record.measurement.reasons] == ["modelled"]
    assert record.measurement.valid
    heading, row, *said, _ = capsys.readouterr().out.splitlines()
    assert heading.split("   ")[-2:] == ["PS5 minutes", "Doubts"]
    assert row.split() == [
        *("DeepSeek-R1", "fp8", "8k/1k", "40.0", "36.0"),
        *("72", "x", "GB200,", "dynamo-sglang,", "conc", "2,048,"),
        *("prefill", "40,", "decode", "32", "1.02", "0.31", "6"),
    ]
    assert tuple(said) == record.measurement.notes
    assert len(said) == 7


@pytest.mark.parametrize(("model", "gpus", "total", "printed"), FOLLOW_UP)
def test_the_follow_up_s_models_follow_from_throughput_and_gpus(
    model: str, gpus: int, total: float, printed: str, whq_import: Import, tmp_path: Path
) -> None:
    row = {
        "hw": "b200",
        "tp": gpus,
        "model": model,
        "isl": 8192,
        "osl": 1024,
        "conc": 1,
        "tput_per_gpu": total / gpus,
    }
    run = whq_import("inferencemax", written(tmp_path / "agg.json", row))
    assert f"{wh(run)[0]:.2f}" == printed


def test_measured_power_stands_beside_the_model(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import("inferencex", written(tmp_path / "api.json", [api_row(n) for n in range(len(MEASURED))]))
    assert [f"{value:.2f}" for value in wh(run)] == [f"{row[-1]:.2f}" for row in MEASURED]
    first = run.records[0].measurement
    assert first.method == "power"
    assert first.reasons == ()
    # 600 W / 200 tokens/s x 2048 tokens / 3600, and 2650 W in its place
    assert first.wh_per_query == pytest.approx(6144 / 3600)
    assert first.modelled_wh_per_query == pytest.approx(27136 / 3600)
    assert first.average_power_w == pytest.approx(2400)
    assert first.j_per_token == pytest.approx(3.0)
    assert (first.queries, first.energy_j) == (None, None)


def test_measured_power_that_its_own_throughput_contradicts_is_not_used(
    whq_import: Import, tmp_path: Path
) -> None:
    row = api_row(0, joules_per_total_token=1.5)
    run = whq_import("inferencex", written(tmp_path / "api.json", row))
    assert run.records[0].measurement.method == "modelled"
    assert "600 W / 200.0 tokens/s per GPU are 3 J/token, and the row tells 1.5 J/token" in notes(run)


def test_power_that_its_row_calls_invalid_is_not_used(whq_import: Import, tmp_path: Path) -> None:
    row = api_row(0, power_valid=0, power_metric_schema_version=2)
    run = whq_import("inferencex", written(tmp_path / "api.json", row))
    assert run.records[0].measurement.method == "modelled"
    assert "power_valid 0" in notes(run)


VERSION_2 = {
    "power_valid": 1,
    "power_metric_schema_version": 2,
    "avg_power_w": 500.0,
    "total_gpu_energy_j": 36000.0,
    "joules_per_successful_query": 360.0,
    "prefill_gpu_energy_j": 12000.0,
    "decode_gpu_energy_j": 24000.0,
}


def test_schema_version_2_is_taken_as_it_stands(whq_import: Import, tmp_path: Path) -> None:
    run = whq_import(
        "inferencex", written(tmp_path / "api.json", api_row(0, **VERSION_2)), "--columns", "prefill,decode"
    )
    measurement = run.records[0].measurement
    assert (measurement.energy_j, measurement.queries) == (36000.0, 100)
    assert measurement.wh_per_query == pytest.approx(0.1)
    assert measurement.imported is not None
    assert [(one.role, one.energy_j) for one in measurement.imported.roles] == [
        ("prefill", 12000.0),
        ("decode", 24000.0),
    ]
    # Of all queries together, so of all their tokens, which are as many as asked for.
    assert measurement.metric("j_per_output_token") == pytest.approx(360 / 1024)
    assert "tokens are not told: they are taken as 100 queries of the nominal lengths" in notes(run)


def test_joules_per_token_stand_where_none_are_told_per_query(whq_import: Import, tmp_path: Path) -> None:
    row = api_row(0, **VERSION_2 | {"joules_per_successful_query": None, "joules_per_total_token": 3.5})
    measurement = whq_import("inferencex", written(tmp_path / "api.json", row)).records[0].measurement
    assert measurement.wh_per_query == pytest.approx(3.5 * 2048 / 3600)
    # 36000 J / 7168 J would be 5.02 queries of nominal length: nobody has counted them.
    assert (measurement.queries, measurement.energy_j) == (None, None)


def test_a_trace_s_lengths_are_those_that_were_counted(whq_import: Import, tmp_path: Path) -> None:
    row: dict[str, Any] = {
        "hw": "b200",
        "tp": 8,
        "model": "m",
        "scenario_type": "agentic-coding",
        "conc": 4,
        "tput_per_gpu": 1000.0,
        "num_requests_successful": 50,
        "total_input_tokens": 400_000,
        "total_output_tokens": 20_000,
    }
    run = whq_import("inferencemax", written(tmp_path / "agg.json", row), "--length-factor", "0.9")
    # 2170 W / 1000 tokens/s x 8400 tokens / 3600: counted lengths need no factor
    assert wh(run) == [pytest.approx(5.0633, abs=1e-4)]
    assert run.records[0].measurement.corrected_wh_per_query is None


def test_a_length_factor_gives_a_corrected_figure_beside_the_nominal(whq_import: Import) -> None:
    run = whq_import("inferencemax", GB200, "--length-factor", "0.9")
    measurement = next(one.measurement for one in run.records if "conc=2048" in one.test)
    assert measurement.wh_per_query == pytest.approx(1.024)
    assert measurement.corrected_wh_per_query == pytest.approx(0.9216)


@pytest.mark.parametrize(("day", "watts"), [("2026-07-13", 2650), ("2026-07-14", 2090), (None, 2650)])
def test_a_row_s_date_chooses_the_set_of_all_in_power(
    day: str | None, watts: float, whq_import: Import, tmp_path: Path
) -> None:
    row = api_row(0) | {"date": day}
    run = whq_import("inferencex", written(tmp_path / "api.json", row))
    modelled = run.records[0].measurement.imported.modelled  # type: ignore[union-attr]
    assert modelled is not None
    assert modelled.power_w == watts
    assert ("has no date" in notes(run)) == (day is None)


def test_kw_and_a_table_of_one_s_own_override_the_published_one(whq_import: Import, tmp_path: Path) -> None:
    assert wh(whq_import("inferencemax", GB200, "--kw", "4.2"))[0] == pytest.approx(
        2 * wh(whq_import("inferencemax", GB200))[0]
    )
    table = tmp_path / "table.toml"
    table.write_text('[[sets]]\nfrom = 2025-01-01\nsource = "mine"\nwatts = {gb200 = 1050}\n')
    run = whq_import("inferencemax", GB200, "--power-table", str(table))
    assert run.records[0].measurement.imported.modelled.table == "mine"  # type: ignore[union-attr]
    assert wh(run)[0] == pytest.approx(wh(whq_import("inferencemax", GB200))[0] / 2)


def test_a_gpu_that_the_table_does_not_know_has_a_row_without_a_figure(
    whq_import: Import, tmp_path: Path
) -> None:
    rows = [api_row(0) | {"hardware": "tpu-v7"}, api_row(1)]
    del rows[0]["metrics"]["avg_power_w"]
    run = whq_import("inferencex", written(tmp_path / "api.json", rows))
    unknown, known = (record.measurement for record in run.records)
    assert unknown.wh_per_query is None
    (reason,) = unknown.reasons
    assert reason.code == "no_source"
    assert "does not know tpu-v7" in reason.sentence
    assert known.wh_per_query is not None


def test_objects_arrays_and_archives_hold_the_same_rows(whq_import: Import, tmp_path: Path) -> None:
    whole = whq_import("inferencemax", GB200)
    archive = tmp_path / "results.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(GB200, "agg_bmk.json")
        file.writestr("readme.txt", "nothing")
    assert whq_import("inferencemax", str(archive)).records == whole.records


@pytest.mark.parametrize(
    ("spelling", "name"),
    [
        *(
            ("b200-trt", "B200"),
            ("mi355x-amd_0", "MI355X"),
            ("cluster:h100-dgxc", "H100"),
            ("gb200", "GB200"),
            ("8xH200", "H200"),
            ("GB-200", "GB200"),
            ("mi 300x", "MI300X"),
        ),
        *(
            ("NVIDIA H100 80GB HBM3", "H100"),
            ("h200-nb_1", "H200"),
            ("NVIDIA RTX PRO 6000 Blackwell", "RTX 6000 Pro"),
        ),
        *(("NVIDIA RTX 6000 Ada Generation", "NVIDIA RTX 6000 Ada Generation"), ("tpu-v7", "tpu-v7")),
    ],
)
def test_every_spelling_of_a_gpu_gives_its_name(spelling: str, name: str) -> None:
    assert gpu_named(spelling) == name
