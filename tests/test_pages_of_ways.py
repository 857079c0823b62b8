"""The pages on histories and scripts hold: their Python runs, with stand-ins for what it talks to."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from readme_project import ROOT, blocks
from samples import MEASUREMENT, a_record

from pytest_whq.model import Device
from pytest_whq.storing.runfile import read_run
from pytest_whq.testing import FakeClock, ScriptedSource, sessions_measure

MLFLOW, WANDB = blocks("python", (ROOT / "docs/history.md").read_text("utf-8"))
SCRIPTS = (ROOT / "docs/scripts.md").read_text("utf-8")


def told_by(recipe: str, name: str, module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the hook of ``recipe`` take a record, with ``module`` in place of the tracker's own."""
    monkeypatch.setitem(sys.modules, name, module)
    found: dict[str, Any] = {}
    exec(recipe, found)
    found["pytest_whq_record"](record=a_record())


def test_mlflow_gets_the_metrics_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}
    module = SimpleNamespace(
        start_run=lambda run_name: nullcontext(),
        log_metrics=told.update,
        set_tag=lambda key, value: told.update({key: value}),
    )
    told_by(MLFLOW, "mlflow", module, monkeypatch)
    assert told.pop("valid") is True
    assert told == {name: value for name, value in MEASUREMENT.metrics.items() if value is not None}


def test_weights_and_biases_gets_the_metrics_that_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    told: dict[str, Any] = {}

    @contextmanager
    def init(project: str, name: str, config: dict[str, Any]) -> Iterator[Any]:
        assert (name, config) == (a_record().test, {"valid": True})
        yield SimpleNamespace(log=told.update)

    told_by(WANDB, "wandb", SimpleNamespace(init=init), monkeypatch)
    assert told == {name: value for name, value in MEASUREMENT.metrics.items() if value is not None}


def test_the_script_leaves_a_run_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    clock = FakeClock()
    board = Device(f"GPU-{__file__}", "Scripted H100", 700.0)
    source = ScriptedSource(clock, watts=70.0, period_s=0.1, device=board)

    def create(**asked: object) -> dict[str, Any]:
        source.call(1.0, 360.0)
        return {"object": "response", "usage": {"input_tokens": 10, "output_tokens": 5}}

    client = SimpleNamespace(responses=SimpleNamespace(create=create))
    with sessions_measure(clock, nvml=lambda devices: source):
        exec(blocks("python", SCRIPTS)[0], {"client": client})
    (record,) = read_run("run.json").records
    assert record.measurement.valid
    assert capsys.readouterr().out.startswith("Wh/query           100 mWh ± ")


def test_a_measurement_prints_as_the_page_shows() -> None:
    assert str(MEASUREMENT) == blocks("text", SCRIPTS)[0].rstrip()
