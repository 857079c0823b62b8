"""A benchmark's result and the power log beside it: the energy of its own window, and a bare P x T / N."""

import json
import re
from math import hypot, sqrt
from pathlib import Path

import pytest
from imported import SAMPLES, Import, notes, trace, written

from pytest_whq.cli import main

ALL_BUSY = (str(SAMPLES / "vllm_all_busy.json"), "--power", str(SAMPLES / "vllm_all_busy_power.csv"))
TWO_BUSY = (str(SAMPLES / "vllm_two_busy.json"), "--power", str(SAMPLES / "vllm_two_busy_power.csv"))


def test_a_window_s_energy_is_that_of_the_benchmark(whq_import: Import) -> None:
    (record,) = whq_import("vllm-bench", *ALL_BUSY).records
    measurement = record.measurement
    assert record.test == "deepseek-r1[conc=16]"
    # 8 GPUs x 450 W, 10 W above and below in turn, x 20 s / 20 queries = 3600 J
    assert measurement.wh_per_query == pytest.approx(1.0)
    assert (measurement.queries, measurement.failed_queries, measurement.method) == (20, 0, "power")
    assert measurement.duration_s == pytest.approx(20.0)
    assert [device.id for device in measurement.devices] == list("01234567")
    # Of each GPU 20 readings 10 W off their mean and both edges on it, 20 refreshes, and 0.5 % of 9000 J
    spread_w = 10 * sqrt(20 / 22)
    each_j = hypot(spread_w * 20 / sqrt(20), spread_w * 1, 45)
    assert measurement.uncertainty_j == pytest.approx(sqrt(8) * each_j)
    assert measurement.valid


def test_idle_devices_are_counted_or_not_by_choice_and_never_silently(whq_import: Import) -> None:
    # 2 x 540 W x 20 s / 60 queries = 360 J; with the 450 W of the other six 510 J
    run = whq_import("vllm-bench", *TWO_BUSY)
    assert run.records[0].measurement.wh_per_query == pytest.approx(510 / 3600)
    said = "6 of 8 devices stood idle (2, 3, 4, 5, 6, 7; 70 to 80 W each): their 2.50 Wh are"
    assert f"{said} counted (--devices busy leaves them out)" in notes(run)
    run = whq_import("vllm-bench", *TWO_BUSY, "--devices", "busy")
    assert run.records[0].measurement.wh_per_query == pytest.approx(0.1)
    assert f"{said} left out" in notes(run)
    run = whq_import("vllm-bench", *TWO_BUSY, "--devices", "0,1")
    assert run.records[0].measurement.wh_per_query == pytest.approx(0.1)
    assert "idle" not in notes(run)


def test_a_local_log_is_placed_by_the_one_offset_that_fits(whq_import: Import) -> None:
    assert "UTC+00:00 alone makes them cover the benchmark" in notes(whq_import("vllm-bench", *ALL_BUSY))
    run = whq_import("vllm-bench", *ALL_BUSY, "--utc-offset", "+9")
    (reason,) = run.records[0].measurement.reasons
    assert (reason.code, reason.sentence) == ("sample_gap", "device 0: the log does not cover the window")


def test_a_device_that_is_not_in_the_log_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "vllm-bench", *ALL_BUSY, "--devices", "0,9"]) == 2
    assert "--devices names 9, and " in capsys.readouterr().err


def _lines(path: str) -> list[str]:
    return Path(path).read_text("utf-8").splitlines(keepends=True)


def test_a_device_that_goes_missing_in_the_window_takes_the_figure_with_it(
    whq_import: Import, tmp_path: Path
) -> None:
    lines = _lines(ALL_BUSY[2])
    log = tmp_path / "log.csv"
    log.write_text("".join(line for n, line in enumerate(lines) if ", 3, " not in line or n < 100))
    (reason,) = whq_import("vllm-bench", ALL_BUSY[0], "--power", str(log)).records[0].measurement.reasons
    assert (reason.code, reason.sentence) == ("sample_gap", "device 3: the log does not cover the window")


@pytest.mark.parametrize("cell", ["0.00 W", "[N/A]"])
def test_a_device_whose_power_the_log_never_tells_is_named_and_not_counted_as_idle(
    cell: str, whq_import: Import, tmp_path: Path
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("".join(re.sub(r", 3, .* W", f", 3, {cell}", line) for line in _lines(ALL_BUSY[2])))
    given = ("vllm-bench", ALL_BUSY[0], "--power", str(log))
    for choice in ("all", "busy"):
        measurement = whq_import(*given, "--devices", choice).records[0].measurement
        (reason,) = measurement.reasons
        assert (reason.code, measurement.energy_j) == ("sample_gap", None)
        assert reason.sentence == "device 3: the log tells no power of it; --devices may leave it out"
    left = whq_import(*given, "--devices", "0,1,2,4,5,6,7").records[0].measurement
    assert left.valid
    assert left.wh_per_query == pytest.approx(7 / 8)


def test_a_clock_that_was_set_back_in_the_window_takes_the_figure_with_it(
    whq_import: Import, tmp_path: Path
) -> None:
    lines = [re.sub(r"04:54:5(.)\.5", r"04:54:4\1.7", line) for line in _lines(ALL_BUSY[2])]
    log = tmp_path / "log.csv"
    log.write_text("".join(lines))
    run = whq_import("vllm-bench", ALL_BUSY[0], "--power", str(log))
    (reason,) = run.records[0].measurement.reasons
    assert (reason.code, reason.sentence) == (
        "sample_gap",
        "device 0: the log's clock was set back in the window",
    )
    assert "its clock was set" in notes(run)


def test_without_a_log_there_is_no_energy_and_why(whq_import: Import) -> None:
    (record,) = whq_import("vllm-bench", ALL_BUSY[0]).records
    (reason,) = record.measurement.reasons
    assert (record.measurement.wh_per_query, reason.code) == (None, "no_source")
    assert reason.sentence == "the result has no energy: give its power log with --power, or --kw"


def test_without_a_log_kw_models_it(whq_import: Import) -> None:
    run = whq_import("vllm-bench", ALL_BUSY[0], "--kw", "1.8", "--gpus", "8", "--hardware", "NVIDIA H200")
    measurement = run.records[0].measurement
    # 8 x 1800 W x 20 s / 20 / 3600
    assert measurement.wh_per_query == pytest.approx(4.0)
    assert measurement.has("modelled")
    assert run.rig.devices[0].name == "H200"


def test_a_result_that_does_not_tell_its_window_is_given_one(whq_import: Import, tmp_path: Path) -> None:
    told = json.loads(Path(ALL_BUSY[0]).read_text())
    start_s = told.pop("benchmark_start_time_unix")
    del told["benchmark_end_time_unix"]
    result = written(tmp_path / "result.json", told)
    assert main(["import", "vllm-bench", result, *ALL_BUSY[1:]]) == 2
    run = whq_import("vllm-bench", result, *ALL_BUSY[1:], "--start", str(start_s))
    assert run.records[0].measurement.wh_per_query == pytest.approx(1.0)


@pytest.fixture
def log_of_sessions(tmp_path: Path) -> str:
    return trace(tmp_path / "nvml.csv")


STATED = {
    "format=AWQ,physical_gpu=0": 250,
    "format=GPTQ,physical_gpu=1": 200,
    "format=GPTQ,physical_gpu=0": 300,
    "format=AWQ,physical_gpu=1": 225,
}
"""mWh/query of two sessions of 4 requests: 360, 288, 432 and 324 W x 10 s / 4 / 3.6."""

REQUESTS = ("--requests", str(SAMPLES / "requests.csv"), "--by", "format", "--by", "physical_gpu")


def test_groups_of_requests_have_the_energy_of_their_sessions(
    whq_import: Import, log_of_sessions: str
) -> None:
    run = whq_import("power", log_of_sessions, *REQUESTS, "--device-column", "physical_gpu")
    found = {record.test: 1000 * (record.measurement.wh_per_query or 0.0) for record in run.records}
    assert found == {name: pytest.approx(value) for name, value in STATED.items()}
    first = run.records[0].measurement
    assert (first.queries, first.failed_queries, first.tokens.output_tokens) == (8, 0, 8 * 256)
    assert [device.id for device in first.devices] == ["0"]
    assert "2 sessions, 20.0 s together" in notes(run)
    assert "the sensor shows a new value each 500 ms, and was polled each 50.0 ms" in notes(run)


def test_each_session_by_itself_averages_to_the_same(whq_import: Import, log_of_sessions: str) -> None:
    run = whq_import("power", log_of_sessions, *REQUESTS, "--by", "block", "--device-column", "physical_gpu")
    sessions = [
        one.measurement.wh_per_query or 0.0 for one in run.records if "AWQ,physical_gpu=0" in one.test
    ]
    assert len(sessions) == 2
    assert 1000 * sum(sessions) / 2 == pytest.approx(250)


def test_request_columns_are_taken_where_they_are_named(whq_import: Import, log_of_sessions: str) -> None:
    columns = ("--columns", "start=request_start_ns,end=request_end_ns")
    run = whq_import(
        "power", log_of_sessions, *REQUESTS, "--by", "block", "--device-column", "physical_gpu", *columns
    )
    # The first request of a session starts a second after it: 360 W x 9 s / 4 / 3.6
    assert 1000 * (run.records[0].measurement.wh_per_query or 0.0) == pytest.approx(225)


def test_requests_of_several_devices_are_not_mixed(
    log_of_sessions: str, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (*REQUESTS[:4], "--device-column", "physical_gpu")
    assert main(["import", "power", log_of_sessions, *arguments]) == 2
    assert "add --by physical_gpu to tell them apart" in capsys.readouterr().err


def test_power_times_time_over_queries_is_all_that_a_log_needs(whq_import: Import, tmp_path: Path) -> None:
    log = tmp_path / "log.csv"
    log.write_text("time,gpu,power_w\n" + "".join(f"{1781150400 + n},0,360\n" for n in range(101)))
    window = ("--start", "2026-06-11T04:00:10Z", "--end", "1781150460", "--queries", "50")
    run = whq_import("power", str(log), *window, "--input-tokens", "5000", "--output-tokens", "10000")
    measurement = run.records[0].measurement
    # 360 W x 50 s / 50 queries = 360 J = 0.1 Wh
    assert measurement.wh_per_query == pytest.approx(0.1)
    assert measurement.j_per_output_token == pytest.approx(1.8)
    assert measurement.average_power_w == pytest.approx(360)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "whq import power needs --start, --end and --queries"),
        (("--queries", "5"), "Give --start and --end of the window."),
        (("--queries", "5", "--start", "2026-06-11 04:00", "--end", "1781150460"), "--start must be a time"),
        (("--queries", "5", "--start", "2026-06-11 04:00:00", "--end", "1781150460"), "has no zone"),
        (("--queries", "5", "--start", "1781150460", "--end", "1781150400"), "--end must be after --start"),
        (("--requests", "none.csv"), "none.csv cannot be read"),
    ],
)
def test_a_window_that_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    log.write_text("time,gpu,power_w\n" + "".join(f"{1781150400 + n},0,360\n" for n in range(101)))
    assert main(["import", "power", str(log), *arguments]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert sentence in line


def log_and_requests(folder: Path, start: str, end: str, log_start: str = "1781150400") -> list[str]:
    """A log of 360 W of 100 s from 04:00:00 UTC on, and one request."""
    log, table = folder / "log.csv", folder / "requests.csv"
    moments = (
        [str(int(log_start) + n) for n in range(101)]
        if log_start.isdigit()
        else [f"{log_start}:{n // 60:02}:{n % 60:02}" for n in range(101)]
    )
    log.write_text("time,gpu,power_w\n" + "".join(f"{moment},0,360\n" for moment in moments))
    table.write_text(f"start,end\n{start},{end}\n")
    return [str(log), "--requests", str(table)]


def test_local_times_of_requests_are_moved_as_those_of_a_log_are(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    local = "2026-06-11 13:00:10", "2026-06-11 13:01:10"
    given = log_and_requests(tmp_path, *local)
    assert main(["import", "power", *given]) == 2
    assert "requests.csv have no zone, and those of " in capsys.readouterr().err
    assert whq_import("power", *given, "--utc-offset=+9").records[0].measurement.energy_j == pytest.approx(
        21_600
    )
    both = log_and_requests(tmp_path, *local, log_start="2026-06-11 13")
    assert whq_import("power", *both, "--utc-offset=+9").created == "2026-06-11T04:00:10Z"
    run = whq_import("power", *both)
    assert run.records[0].measurement.energy_j == pytest.approx(21_600)
    assert "neither requests nor log tell the zone of their times" in notes(run)


@pytest.mark.parametrize(
    ("column", "cells", "failed"),
    [
        ("status", ("200", "500", "ok", "error: refused"), 2),
        ("error", ("", "Connection reset by peer", "None", "boom"), 2),
        ("success", ("True", "False", "1", "0"), 2),
        ("Finish Reason", ("stop", "length", "abort", "stop"), 1),
    ],
)
def test_what_became_of_a_request_is_read_in_many_words(
    column: str, cells: tuple[str, ...], failed: int, whq_import: Import, tmp_path: Path
) -> None:
    arguments = log_and_requests(tmp_path, "", "")
    lines = [f"1781150410;1781150420;{cell}" for cell in cells]
    (tmp_path / "requests.csv").write_text(f"Start Time;End Time;{column}\n" + "\n".join(lines))
    measurement = whq_import("power", *arguments).records[0].measurement
    assert (measurement.queries, measurement.failed_queries) == (len(cells) - failed, failed)


@pytest.mark.parametrize("cell", ["inf", "1e400", "-5", "1e30", "2.5", "many"])
def test_tokens_that_cannot_be_are_said_and_leave_those_of_their_group_unknown(
    cell: str, whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = log_and_requests(tmp_path, "", "")
    lines = [f"1781150410,1781150420,{tokens},7" for tokens in ("10", cell)]
    (tmp_path / "requests.csv").write_text("start,end,output_tokens,input_tokens\n" + "\n".join(lines))
    measurement = whq_import("power", *arguments).records[0].measurement
    # Beside it -5 would have been taken off the 10, and inf was a traceback.
    assert (measurement.tokens.output_tokens, measurement.tokens.input_tokens) == (None, 14)
    assert (measurement.queries, measurement.valid) == (2, True)
    (line,) = capsys.readouterr().err.splitlines()
    assert (
        f"requests.csv, request 2, has output_tokens of {cell.replace('1e400', 'inf')[:2]}"
        in line.replace("'", "")
    )
    assert line.endswith(": its tokens are not known")


@pytest.mark.parametrize("cell", ["", "nan", "None", "N/A"])
def test_tokens_that_are_not_told_are_not_known_without_a_word(
    cell: str, whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = log_and_requests(tmp_path, "", "")
    (tmp_path / "requests.csv").write_text(f"start,end,output_tokens\n1781150410,1781150420,{cell}\n")
    assert whq_import("power", *arguments).records[0].measurement.tokens.output_tokens is None
    assert capsys.readouterr().err == ""


def test_odd_requests_are_left_out_and_failed_ones_are_counted(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log, table = tmp_path / "log.csv", tmp_path / "requests.csv"
    log.write_text("time,gpu,power_w\n" + "".join(f"{1781150400 + n},0,360\n" for n in range(101)))
    table.write_text(
        "start,end,status,output_tokens\n1781150410,1781150420,ok,10\n1781150420,1781150430,error,\n"
        "1781150450,1781150440,ok,10\nnever,1781150440,ok,10\n1781150420,1781150460,ok,30\n"
    )
    run = whq_import("power", str(log), "--requests", str(table))
    assert len(capsys.readouterr().err.splitlines()) == 2
    measurement = run.records[0].measurement
    assert (measurement.queries, measurement.failed_queries, measurement.tokens.output_tokens) == (2, 1, 40)
    assert measurement.energy_j == pytest.approx(360 * 50)
