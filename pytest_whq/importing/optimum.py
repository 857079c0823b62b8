"""optimum-benchmark, the engine of the AI Energy Score: kWh by phase and by part (CPU, RAM, GPU)."""

from collections.abc import Mapping
from typing import Any

from pytest_whq.importing.cells import CellError, Cells
from pytest_whq.importing.collecting import one_of_each_document
from pytest_whq.importing.documents import Document, Documents
from pytest_whq.importing.hardware import gpu_named
from pytest_whq.importing.result import Found, Result, ToolEnergy
from pytest_whq.model.imported import Means, Setup
from pytest_whq.units import joules as joules_from_kwh

_PHASES = ("preprocess", "prefill", "decode", "per_token", "forward", "generate", "call")
"""What is done for queries; loading a model and data is not."""

_PARTS = ("cpu", "ram", "gpu")


def read(documents: Documents) -> Found:
    """The report of every document: ``benchmark.json`` whole, or ``benchmark_report.json`` alone."""
    return one_of_each_document(documents, "optimum-benchmark", _result)


def _result(document: Document) -> Result:
    if not isinstance(document.value, Mapping):
        raise CellError("is no object")
    cells = Cells(document.value)
    report = cells.inside("report") if "report" in cells else cells
    phases = {
        name: report.inside(name, "energy") for name in _PHASES if report.inside(name, "energy").items()
    }
    if not phases:
        raise CellError(
            "has no energy of prefill, decode or a call: it is no report of optimum-benchmark with energy"
        )
    setup, scenario = _setup(cells.inside("config")), cells.inside("config", "scenario")
    joules = {name: _joules(energy, name) for name, energy in phases.items()}
    parts = {part: sum(_part(energy, name, part) for name, energy in phases.items()) for part in _PARTS}
    queries = _queries(scenario, report, phases)
    return Result(
        name=" ".join(
            filter(None, (setup.model or "optimum-benchmark", cells.inside("config", "backend").text("task")))
        )
        + (f"[batch={setup.concurrency}]" if setup.concurrency else ""),
        setup=setup,
        queries=queries,
        duration_s=_duration_s(report, phases),
        means=_means(report),
        energy=ToolEnergy(
            "counter" if parts["gpu"] else "estimate",
            "+".join(part for part in ("gpu", "cpu", "ram") if parts[part]) or "cpu",
            "CodeCarbon",
            sum(joules.values()),
            devices={part: each_j for part, each_j in parts.items() if each_j},
            roles=joules,
            names={"cpu": "CPU", "ram": "RAM"},
        ),
        notes=tuple(_notes(queries, joules)),
    )


def _joules(energy: Cells, phase: str) -> float:
    unit, total = energy.text("unit") or "kWh", energy.number("total")
    if unit != "kWh" or total is None:
        raise CellError(f"has energy of {phase} in {unit} and not a total in kWh")
    return joules_from_kwh(total)


def _part(energy: Cells, phase: str, part: str) -> float:
    return joules_from_kwh(energy.number(part) or 0.0)


def _setup(config: Cells) -> Setup:
    backend, environment = config.inside("backend"), config.inside("environment")
    shapes, asked = config.inside("scenario", "input_shapes"), config.inside("scenario", "generate_kwargs")
    gpu: Any = environment.first("gpu")
    return Setup(
        model=backend.text("model"),
        precision=backend.text("quantization_scheme", "torch_dtype", "dtype"),
        framework=config.text("name") and backend.text("name"),
        hardware=gpu_named(str(gpu[0]) if isinstance(gpu, list) and gpu else environment.text("gpu")),
        gpus=environment.count("gpu_count"),
        concurrency=shapes.count("batch_size"),
        input_length=shapes.number("sequence_length"),
        output_length=asked.number("max_new_tokens", "min_new_tokens"),
        commit=environment.text("optimum_benchmark_commit"),
    )


def _queries(scenario: Cells, report: Cells, phases: Mapping[str, Cells]) -> int | None:
    """How many queries the energy is of: samples over kWh times kWh, else those asked for."""
    for name, energy in phases.items():
        efficiency, total = report.inside(name, "efficiency"), energy.number("total")
        value = efficiency.number("value")
        if efficiency.text("unit") == "samples/kWh" and value and total:
            return round(value * total) or None
    return scenario.count("num_samples") or scenario.inside("input_shapes").count("batch_size")


def _duration_s(report: Cells, phases: Mapping[str, Cells]) -> float | None:
    totals = [report.inside(name, "latency").number("total") for name in phases]
    return sum(total for total in totals if total is not None) or None


def _means(report: Cells) -> Means:
    tpot_s = report.inside("per_token", "latency").number("mean")
    return Means(
        ttft_s=report.inside("prefill", "latency").number("mean"),
        tpot_s=tpot_s,
        interactivity=1 / tpot_s if tpot_s else None,
    )


def _notes(queries: int | None, joules: Mapping[str, float]) -> list[str]:
    said = ", ".join(f"{name} {each_j:.1f} J" for name, each_j in joules.items())
    return [f"by phase: {said}"] + (
        [] if queries else ["the report does not tell how many samples there were"]
    )
