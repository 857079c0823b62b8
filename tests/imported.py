"""What the tests of importing share: samples, the command, and rows of InferenceX by what matters in them."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pytest_whq.cli import main
from pytest_whq.model import Run
from pytest_whq.storing.runfile import read_run

SAMPLES = Path(__file__).parent / "importing" / "samples"

Import = Callable[..., Run]

FOLLOW_UP = (
    # model, GPUs, tokens/s of all of them, Wh/query as printed
    ("GLM-4.7-Flash", 1, 8125, "0.68"),
    ("MiniMax-M2.5", 2, 8062, "1.38"),
    ("Trinity-Large-Preview", 8, 15611, "2.85"),
    ("Qwen3.5-397B-A17B", 8, 11092, "4.01"),
    ("GLM-5-FP8", 8, 6300, "7.05"),
)
"""The five models of muxup's follow-up of 2026-02-17: B200, 8192 tokens in, 1024 out."""

MEASURED = (
    # GPUs, ISL, concurrency, W per GPU, tokens/s per GPU, input and output of them, J/token as told, Wh/query
    (4, 1024, 4, 600.0, 200.0, 100.0, 100.0, 3.0, 1.71),
    (8, 1024, 8, 560.0, 200.0, 100.0, 100.0, 2.8, 1.59),
    (8, 1024, 16, 630.0, 360.0, 180.0, 180.0, 1.75, 1.00),
    (4, 8192, 4, 648.0, 810.0, 720.0, 90.0, 0.8, 2.05),
    (8, 8192, 8, 675.0, 900.0, 800.0, 100.0, 0.75, 1.92),
    (8, 8192, 16, 675.0, 1350.0, 1200.0, 150.0, 0.5, 1.28),
)
"""Six made-up rows with power, from before schema version 2: Wh/query is J/token x (ISL + 1024) / 3600."""


def api_row(number: int = 0, **metrics: Any) -> dict[str, Any]:
    """A row in the form of InferenceX's public API, with the figures of one of `MEASURED`."""
    gpus, isl, concurrency, watts, total, given, made, per_token, _ = MEASURED[number]
    return {
        "hardware": "mi355x",
        "framework": "sglang",
        "model": "dsr1",
        "precision": "fp4",
        "spec_method": "none",
        "disagg": False,
        "is_multinode": False,
        "prefill_tp": gpus,
        "decode_tp": gpus,
        "prefill_num_workers": 0,
        "decode_num_workers": 0,
        "num_prefill_gpu": gpus,
        "num_decode_gpu": gpus,
        "isl": isl,
        "osl": 1024,
        "conc": concurrency,
        "image": "lab/sglang:1.0",
        "date": "2026-06-01",
        "metrics": {
            "avg_power_w": watts,
            "tput_per_gpu": total,
            "input_tput_per_gpu": given,
            "output_tput_per_gpu": made,
            "joules_per_total_token": per_token,
            "mean_e2el": 9.0,
            "mean_ttft": 0.17,
            "mean_tpot": 0.01,
            "mean_intvty": 100.0,
            **metrics,
        },
    }


TRACE_START_NS = 1_781_150_400_000_000_000
"""2026-06-11 04:00:00 UTC."""

SESSION_W = ((360, 288), (432, 324), (360, 288), (432, 324))
"""Watts of two GPUs in each of four sessions of 10 s, 2 s apart: those of `samples/requests.csv`."""


def trace(path: Path) -> str:
    """The path of a log of both: polled each 50 ms, a new value each 500 ms, 5 W above and below in turn."""
    lines = ["epoch_ns,gpu,power_mw,temperature_c,gpu_util_percent"]
    for poll in range(20 * 50):
        session = (poll - 20) // 240
        swing_w = 5 if poll // 10 % 2 else -5
        for gpu in range(2):
            # A second before and after a session its power is there, too.
            watts = SESSION_W[min(session, 3)][gpu] if session >= 0 else 60
            moment_ns = TRACE_START_NS + poll * 50_000_000
            lines.append(f"{moment_ns},{gpu},{1000 * (watts + swing_w)},40,100")
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return str(path)


def written(path: Path, value: Any) -> str:
    """The path of a file that holds ``value`` as JSON."""
    path.write_text(json.dumps(value), "utf-8")
    return str(path)


def imported(path: Path, *arguments: str, status: int = 0) -> Run:
    """The run that ``whq import`` writes to ``path``."""
    assert main(["import", *arguments, "-o", str(path)]) == status
    return read_run(path)


def notes(run: Run, number: int = 0) -> str:
    """The notes of one record as one text."""
    return "\n".join(run.records[number].measurement.notes)


@pytest.fixture
def whq_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Import files with the arguments of the command, in 200 columns: the run that it writes."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    return partial(imported, tmp_path / "run.json")
