"""Each benchmark runs, without the peers that it compares with, and writes figures that can be read."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from benchmark_modules import benchmark
from patience import PATIENT_S

from pytest_whq.rendering import RENDERERS

pytestmark = pytest.mark.once

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"


def run(name: str, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, str(BENCHMARKS / name), *arguments]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=PATIENT_S, env=environment | variables
    )


def figures_of(name: str, path: Path, *arguments: str) -> dict[str, Any]:
    done = run(name, *arguments, "--json", str(path))
    assert done.returncode == 0, done.stderr
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    assert document["date"].endswith("Z")
    assert document["versions"]["pytest-whq"]
    return document


def test_accuracy_compares_tools_and_can_be_plotted(tmp_path: Path) -> None:
    path, plot = tmp_path / "accuracy.json", tmp_path / "accuracy.svg"
    tools = ("--tools", "pytest-whq", "plain difference", "zeus")
    figures = figures_of(
        "accuracy.py", path, "--windows", "1", "--durations", "0.05", "--variants", "base", *tools
    )
    scores = {score["tool"]: score for score in figures["scores"]}
    assert scores["pytest-whq"]["answered"] == 1
    assert scores["plain difference"]["rms"] > 0.01
    assert ("zeus" in scores) != ("zeus" in figures["missing"])
    assert run("plot_accuracy.py", str(path), str(plot)).returncode == 0
    assert ">plain difference</text>" in plot.read_text("utf-8")


def test_overhead_measures_every_cost(tmp_path: Path) -> None:
    path = tmp_path / "overhead.json"
    figures = figures_of("overhead.py", path, "--seconds", "0.2", "--pairs", "1", "--hours", "0.001")
    costs = {figure["what"]: figure for figure in figures["figures"]}
    assert costs["CPU of the sampler in a window, one GPU"]["limit"] == 0.01
    assert 1e-7 < costs["whq(call) of a call that returns None"]["value"] < 1e-3


def test_a_reading_costs_what_its_pieces_took_longer_than_those_near_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # It imports what stands beside it, as a script does.
    monkeypatch.syspath_prepend(BENCHMARKS)
    delays = benchmark("overhead").delays
    # Pieces of 2 s. Readings begin in the third, which takes 3 s, and in the eighth, which is as the others.
    assert delays([0, 2, 4, 7, 9, 11, 13, 15, 17, 19], [5, 16]) == pytest.approx([1, 0])
    # The piece after the last reading never ended.
    assert delays([0, 2, 4, 6], [5]) == []
    # Nothing to compare with, as on a machine that holds the loop up from reading to reading.
    assert delays([0, 2, 4, 6], [1, 3, 5]) == []


def test_load_measures_queries_and_chunks(tmp_path: Path) -> None:
    figures = figures_of("load.py", tmp_path / "load.json", "--queries", "2000", "--concurrency", "16")
    costs = {cost["call"]: cost for cost in figures["costs"]}
    assert costs["no-op coroutine"]["queries"] == 2000
    assert 0 < costs["no-op coroutine"]["peak_bytes"] < 1000
    assert all(0.1 < cost_us < 1000 for cost_us in figures["chunk_us"].values())


def test_gpu_compares_single_windows_with_the_counter_from_rest_to_rest(tmp_path: Path) -> None:
    path = tmp_path / "gpu.json"
    figures = figures_of("gpu.py", path, "--simulate", "--windows", "1", "--durations", "0.3")
    (comparison,) = figures["comparisons"]
    (window,) = comparison["windows"]
    assert window["reference_j"] == pytest.approx(450 * window["duration_s"], rel=0.05)
    assert figures["gpu"]["driver"] == "580.95.05"


def test_the_trace_of_a_board_says_in_one_sentence_why_there_is_nothing_to_record(tmp_path: Path) -> None:
    done = run("board_trace.py", str(tmp_path / "trace.json.gz"), CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert re.fullmatch(r"Nothing can be recorded here: .+\n", done.stderr)


def test_gpu_says_in_one_sentence_why_there_is_nothing_to_measure() -> None:
    # Where there is torch, it is kept from seeing a GPU.
    done = run("gpu.py", CUDA_VISIBLE_DEVICES="")
    assert done.returncode == 2
    assert re.fullmatch(r"Nothing can be measured here: torch .+\n", done.stderr)


def test_rendering_makes_every_format() -> None:
    done = run("rendering.py", "--tests", "20", "--turns", "1")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["json.dumps", *RENDERERS]


def test_importing_is_timed_against_the_csv_reader() -> None:
    done = run("importing.py", "2")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^2 MB: csv\.reader [\d.]+ s, whq [\d.]+ s, [\d.]+ times\n1,600 rows: [\d.]+ s\n$", done.stdout
    )


def test_cluster_measures_a_long_window_and_a_period(tmp_path: Path) -> None:
    path = tmp_path / "cluster.json"
    figures = figures_of("cluster.py", path, "--seconds", "0", "--hours", "0.01", "--days", "0.05")
    costs = {figure["what"]: figure for figure in figures["figures"]}
    assert 0 < costs["0.01 h: readings kept"]["value"] < 200
    assert costs["0.05 days: memory"]["unit"] == "MiB"


def test_remote_windows_are_scored_by_kind(tmp_path: Path) -> None:
    figures = figures_of("remote_windows.py", tmp_path / "windows.json", "--windows", "1")
    assert len(figures["scores"]) == 8
    assert all(
        score["rms"] < 0.02 and score["within"] <= score["windows"] == 1 for score in figures["scores"]
    )


def test_the_history_is_read_drawn_and_searched() -> None:
    done = run("history.py", "--runs", "12", "--tests", "3", "--series", "20")
    assert done.returncode == 0, done.stderr
    assert "step +5% after 5 runs, before 5: at the right run" in done.stdout
    assert "no step in 10 runs, noise 1%: one is found in 0.0%" in done.stdout
    (size,) = re.findall(r"^a thousand records take (\d+) KB", done.stdout, re.MULTILINE)
    assert int(size) < 1000
    assert re.search(r"^largest memory \d+ MiB$", done.stdout, re.MULTILINE)
