"""What is broken, absurd or of another tool is a sentence; what is good beside it still comes out."""

import json
import os
import zipfile
from pathlib import Path

import pytest
from imported import SAMPLES, Import, api_row, written

from pytest_whq.cli import main
from pytest_whq.importing.kinds import KINDS
from pytest_whq.importing.power.rows import MOST_BYTES

LOG = str(SAMPLES / "vllm_all_busy_power.csv")
WINDOW = ("--start", "2026-06-11T04:54:40Z", "--end", "2026-06-11T04:54:50Z", "--queries", "5")
GB200 = SAMPLES / "inferencemax_gb200.json"


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 2) -> str:
    assert main(["import", *arguments]) == status
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_rows_before_the_cut_of_a_truncated_array_come_out(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = GB200.read_text()
    path = tmp_path / "cut.json"
    path.write_text(text[: text.rindex('"hw"')])
    assert len(whq_import("inferencemax", str(path)).records) == 3
    assert "is not whole JSON" in (said := capsys.readouterr().err)
    assert "what comes after its first 3 items is left out" in said


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not whole JSON"),
        (b'{"tput_per_gpu": 1', "is not whole JSON"),
        (b"hello", "is not whole JSON"),
        (b"\xff\xfe{}", "is not UTF-8 text"),
        (b"PK\x03\x04 and no archive", "is not a whole archive"),
        (b"PK\x05\x06" + bytes(18), "holds no JSON that can be read"),
        (b"[" * 100_000, "is not whole JSON"),
    ],
    ids=("empty", "cut", "text", "bytes", "zip", "empty zip", "deep"),
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_json_is_one_sentence(
    content: bytes, sentence: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    assert sentence in complaint(capsys, kind, str(path))


@pytest.mark.parametrize(
    "value", [{"a": 1}, [1, 2], [], {}, None, "text", [[]], {"benchmarks": [1]}], ids=json.dumps
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_file_of_another_tool_leaves_nothing_to_import(
    kind: str, value: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["import", kind, written(tmp_path / "file.json", value)]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1].startswith("whq: No result of ")
    assert all(len(line) < 400 for line in lines)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"tput_per_gpu": -1.0}, "has tput_per_gpu of -1, which cannot be"),
        ({"tput_per_gpu": 0}, "has tput_per_gpu of 0"),
        ({"tput_per_gpu": "fast"}, "has tput_per_gpu of 'fast', which is no number"),
        ({"tput_per_gpu": 1e30}, "has tput_per_gpu of 1e+30, which cannot be"),
        ({"tput_per_gpu": 10**400}, f"has tput_per_gpu of 1{'0' * 39}, which cannot be"),
        ({"tput_per_gpu": 1e-300}, "has tput_per_gpu of 1e-300, which cannot be"),
        ({"avg_power_w": -20.0}, "has avg_power_w of -20, which cannot be"),
        ({"mean_e2el": True}, "has mean_e2el of True, which is no number"),
    ],
)
def test_a_row_with_an_absurd_value_is_left_out_and_the_others_come_out(
    changed: dict[str, object],
    sentence: str,
    whq_import: Import,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = whq_import("inferencex", written(tmp_path / "api.json", [api_row(0, **changed), api_row(1)]))
    assert len(run.records) == 1
    assert f"row 1 {sentence}" in capsys.readouterr().err


@pytest.mark.parametrize("time_s", [0, 1e12, 1e14])
def test_a_benchmark_of_no_time_that_a_clock_shows_is_left_out(
    time_s: float, whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((SAMPLES / "vllm_two_busy.json").read_text("utf-8"))
    absurd = told | {"benchmark_start_time_unix": time_s, "benchmark_end_time_unix": time_s + 60}
    run = whq_import("vllm-bench", written(tmp_path / "results.json", [absurd, told]))
    assert len(run.records) == 1
    assert "which is no time of a benchmark" in capsys.readouterr().err
    report = json.loads((SAMPLES / "guidellm.json").read_text("utf-8"))
    report["benchmarks"][0] |= {"start_time": time_s, "end_time": time_s + 60}
    assert len(whq_import("guidellm", written(tmp_path / "g.json", report)).records) == 1
    assert "which is no time of a benchmark" in capsys.readouterr().err


@pytest.mark.parametrize("number", [10**400, -1])
def test_a_rate_or_a_window_that_cannot_be_is_not_known(
    number: int, whq_import: Import, tmp_path: Path
) -> None:
    told = json.loads((SAMPLES / "vllm_two_busy.json").read_text("utf-8")) | {"request_rate": number}
    setup = whq_import("vllm-bench", written(tmp_path / "r.json", told)).records[0].measurement.imported
    assert setup is not None
    assert setup.setup.rate_per_s is None
    export = json.loads((SAMPLES / "aiperf_0.13.json").read_text("utf-8"))
    export |= {name: {"avg": number} for name in ("min_request_timestamp", "max_response_timestamp")}
    assert whq_import("aiperf", written(tmp_path / "a.json", export)).records[0].measurement.valid


@pytest.mark.parametrize("extra", [1.5, "ignore_eos", [1.5], ["ignore_eos"], [["ignore_eos"]], [[]], True])
def test_settings_of_a_form_that_nobody_knows_raise_no_doubt(
    extra: object, whq_import: Import, tmp_path: Path
) -> None:
    export = json.loads((SAMPLES / "aiperf_0.13.json").read_text("utf-8"))
    export["input_config"] = {"input": {"extra": extra}}
    imported = whq_import("aiperf", written(tmp_path / "a.json", export)).records[0].measurement.imported
    assert imported is not None
    assert not any("ignore_eos" in doubt for doubt in imported.doubts)


def test_a_value_that_is_no_number_is_unknown(whq_import: Import, tmp_path: Path) -> None:
    path = tmp_path / "api.json"
    path.write_text(json.dumps(api_row(0)).replace("9.0", "NaN").replace("0.17", "1e999"))
    means = whq_import("inferencex", str(path)).records[0].measurement.imported.means  # type: ignore[union-attr]
    assert (means.latency_s, means.ttft_s, means.interactivity) == (None, None, 100.0)


def test_one_bad_file_of_several_is_told_and_the_others_come_out(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text("{")
    run = whq_import("inferencemax", str(bad), str(GB200), str(tmp_path / "none.json"))
    assert len(run.records) == 4
    assert len(capsys.readouterr().err.splitlines()) == 2


def test_a_zip_bomb_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("agg.json", b"[" + b" " * 50_000_000)
    assert path.stat().st_size < 60_000
    said = complaint(capsys, "inferencemax", str(path))
    assert "would unpack to 48 MiB (JSON files: 1)" in said
    assert "it is refused" in said


def test_a_bad_member_of_an_archive_is_told_and_the_others_come_out(
    whq_import: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("bad.json", "{")
        archive.write(GB200, "agg.json")
    assert len(whq_import("inferencemax", str(path)).records) == 4
    assert "bad.json is not whole JSON" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("excel", str(GB200)), "excel is no kind of results: whq import knows inferencemax, inferencex, "),
        (("inferencemax", "none.json"), "none.json cannot be read"),
        (("inferencemax", str(GB200), "--kw", "-1"), "--kw must be kilowatts of one GPU"),
        (("inferencemax", str(GB200), "--kw", "nan"), "--kw must be kilowatts of one GPU"),
        (("inferencemax", str(GB200), "--gpus", "0"), "--gpus must be a whole number from 1 up"),
        (
            ("inferencemax", str(GB200), "--length-factor", "9"),
            "--length-factor must be above 0 and at most 1",
        ),
        (("inferencemax", str(GB200), "--power-table", str(GB200)), "is not TOML"),
        (("inferencemax", str(GB200), "--columns", "colour"), "The table has no column 'colour'"),
        (("inferencemax", str(GB200), "--sort=-colour"), "The table has no column 'colour'"),
        (("inferencemax", str(GB200), "--where", "colour=red"), "The table has no column 'colour'"),
    ],
)
def test_an_argument_that_cannot_be_is_one_sentence(
    arguments: tuple[str, ...], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert sentence in complaint(capsys, *arguments)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
@pytest.mark.parametrize(
    "arguments",
    [
        ("power", "PIPE", *WINDOW),
        ("power", LOG, "--requests", "PIPE"),
        ("vllm-bench", str(SAMPLES / "vllm_all_busy.json"), "--power", "PIPE"),
        ("inferencemax", "PIPE"),
        ("inferencemax", str(GB200), "--power-table", "PIPE"),
    ],
    ids=("log", "requests", "beside", "results", "table"),
)
@pytest.mark.parametrize("pipe", ["fifo", "/dev/zero"])
def test_what_may_have_no_end_is_refused_at_once(
    arguments: tuple[str, ...],
    pipe: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    given = [pipe if argument == "PIPE" else argument for argument in arguments]
    assert f"{pipe} cannot be read (not a regular file). Check the path." in complaint(capsys, *given)


def test_a_table_that_is_too_long_is_refused_before_it_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "log.csv"
    with log.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    assert "is longer than 2 GiB, the most that is read" in complaint(capsys, "power", str(log), *WINDOW)
