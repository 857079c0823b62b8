"""An option that is given is minded or refused: none is passed over without a word."""

import json
from pathlib import Path

import pytest
from imported import SAMPLES, Import, notes, written

from pytest_whq.cli import main

RESULTS = ("vllm-bench", str(SAMPLES / "vllm_all_busy.json"))
LOG = str(SAMPLES / "vllm_all_busy_power.csv")
WINDOW = ("--start", "2026-06-11T04:54:40Z", "--end", "2026-06-11T04:54:50Z", "--utc-offset", "0")
ALONE = ("power", LOG, *WINDOW, "--queries", "5")
GROUPS = ("power", LOG, "--requests", str(SAMPLES / "requests.csv"))
PERIOD = ("prometheus", "http://127.0.0.1:9", *WINDOW, "--queries", "vllm")

OF_GROUPS = "it is for the requests of a power log (KIND power, with --requests)."
OF_A_LOG_ALONE = "it is for a power log alone (KIND power)."
NO_LOG = "it is for a power log, and there is none: give it with --power."


@pytest.mark.parametrize(
    ("given", "option", "value", "use"),
    [
        (RESULTS, "--queries", "5", OF_A_LOG_ALONE),
        (RESULTS, "--output-tokens", "5", OF_A_LOG_ALONE),
        (RESULTS, "--requests", "table.csv", OF_GROUPS),
        (RESULTS, "--by", "format", OF_GROUPS),
        (RESULTS, "--devices", "0,1", NO_LOG),
        (RESULTS, "--start", "1781150400", NO_LOG),
        (RESULTS, "--utc-offset", "9", NO_LOG),
        (RESULTS, "--energy", "dcgm", "it is for a period of production (KIND prometheus)."),
        (ALONE, "--device-column", "gpu", OF_GROUPS),
        (ALONE, "--power", LOG, "it is for the results of a benchmark, and whq import power takes"),
        (ALONE, "--gpus", "4", "it is for results that do not tell it, and a log does: --devices chooses"),
        (GROUPS, "--queries", "5", "it is for a power log without --requests, which tell it."),
        (GROUPS, "--end", "1781150400", "it is for a power log without --requests, which tell it."),
        (PERIOD, "--power", LOG, "it is for a power log, and Prometheus tells the energy."),
        (PERIOD, "--gpus", "4", "it is for results that do not tell it, and Prometheus does."),
        (PERIOD, "--device-column", "gpu", OF_GROUPS),
    ],
)
def test_an_option_without_use_is_refused(
    given: tuple[str, ...], option: str, value: str, use: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", *given, option, value]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"whq: {option} says nothing here: {use}")


@pytest.mark.parametrize("given", [RESULTS, ALONE, PERIOD], ids=lambda given: given[0])
def test_columns_of_requests_without_requests_are_refused(
    given: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", *given, "--columns", "start=began"]) == 2
    assert f"--columns of names and = says nothing here: {OF_GROUPS}" in capsys.readouterr().err


@pytest.mark.parametrize("queries", ["0", "-3", "abc", "2.5", "99999999999999999999"])
def test_queries_that_cannot_be_are_told_so_and_not_that_they_are_missing(
    queries: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", "power", LOG, *WINDOW, f"--queries={queries}"]) == 2
    said = f"whq: --queries must be a whole number from 1 up to 2^53, not {queries}.\n"
    assert capsys.readouterr().err == said


def test_a_log_alone_tells_how_many_devices_its_energy_is_of(whq_import: Import) -> None:
    run = whq_import(*ALONE, "--kw", "2", "--input-tokens", "5", "--output-tokens", "5")
    assert run.records[0].measurement.imported is not None
    assert run.records[0].measurement.imported.setup.gpus == 8
    # 8 x 2000 W x 10 s / 5 queries
    assert run.records[0].measurement.modelled_wh_per_query == pytest.approx(32_000 / 3600)
    assert "how many GPUs" not in notes(run)
    run = whq_import(*ALONE, "--devices", "0,1")
    assert run.records[0].measurement.imported is not None
    assert run.records[0].measurement.imported.setup.gpus == 2


def test_results_that_cannot_be_used_are_said_before_their_window_is_missed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads(Path(RESULTS[1]).read_text("utf-8")) | {"completed": -1}
    result = written(tmp_path / "result.json", told)
    assert main(["import", "vllm-bench", result, "--power", LOG]) == 2
    first, last = capsys.readouterr().err.splitlines()
    assert first.endswith("result.json has completed of -1, which cannot be")
    assert last.startswith("whq: No result of vllm bench serve is left to import.")
