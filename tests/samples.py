"""A measurement, a record and a run with the figures of the design's example, to vary in tests."""

from dataclasses import replace
from typing import Any

from pytest_whq.model import (
    BudgetVerdict,
    Commit,
    Comparison,
    Device,
    DeviceEnergy,
    Gap,
    Measurement,
    Reason,
    Record,
    Rig,
    Round,
    Run,
    TokenCount,
)

MEASUREMENT = Measurement(
    method="counter",
    energy_j=884.0,
    net_energy_j=610.2,
    uncertainty_j=4.1,
    duration_s=6.2,
    queries=20,
    failed_queries=0,
    tokens=TokenCount(input_tokens=5120, output_tokens=2560),
    devices=(DeviceEnergy("GPU-1", 884.0),),
    rounds=(Round(177.1, 122.0, 1.24, 4, 1024, 512),),
    interval95={"wh_per_query": (0.01205, 0.01251)},
)
WITHIN = BudgetVerdict("wh_per_query", 0.05, 0.01228, "within", "marker")
H200 = Device("GPU-1", "NVIDIA H200", 700.0)
RIG = Rig("nvml", "gpu", "580.95.05", "host", "3.13.1", "Linux", (H200,))

COMPARISON = Comparison("wh_per_query", 0.0119, 0.032, (0.011, 0.053), "unchanged")


def a_record(test: str = "tests/test_chat.py::test_short", **changes: Any) -> Record:
    """A record of ``test``; ``changes`` are to the record or to its measurement."""
    of_record = {name: changes.pop(name) for name in ("outcome", "budgets", "comparison") if name in changes}
    record = Record(test, "passed", replace(MEASUREMENT, **changes))
    return replace(record, **of_record)


def a_run(*records: Record, rig: Rig = RIG, gaps: tuple[Gap, ...] = ()) -> Run:
    """A run of ``records``."""
    return Run(
        "2026-11-23T08:00:00Z", "pytest-whq 0.1.0", Commit("c0ffee", "main", False), rig, records, gaps=gaps
    )


FULL = a_record(
    "tests/test_chat.py::test_full",
    budgets=(
        WITHIN,
        BudgetVerdict("wh_per_1k_tokens", 0.1, None, "unmeasured", "whq.toml, budgets[0]", "no tokens"),
    ),
    comparison=COMPARISON,
    reasons=(Reason("imprecise", "the 95 % interval is ± 3.1 %"), Reason("throttled", "it was hot")),
)
NOTHING = Record(
    "tests/test_chat.py::test_nothing",
    "failed",
    Measurement(
        method=None,
        energy_j=None,
        net_energy_j=None,
        uncertainty_j=None,
        duration_s=0.0,
        queries=0,
        failed_queries=0,
        tokens=TokenCount(),
        devices=(),
        rounds=(),
        reasons=(Reason("no_source", "nvml: driver not loaded"),),
    ),
)

# Design section 5, with the metrics that its dots stand for.
EXAMPLE = """
{"format": 1, "created": "2026-11-23T08:00:00Z", "tool": "pytest-whq 0.1.0",
 "commit": {"id": "...", "branch": "...", "dirty": false},
 "rig": {"source": "nvml", "scope": "gpu", "driver": "580.95.05", "host": "...", "python": "3.13.1", "platform": "...",
         "devices": [{"id": "GPU-...", "name": "NVIDIA H100 80GB HBM3", "power_limit_w": 700.0, "role": null}]},
 "records": [{
   "test": "tests/test_chat.py::test_short[gpt-oss]", "outcome": "passed",
   "valid": true, "reasons": [], "method": "counter",
   "queries": 20, "failed_queries": 0,
   "input_tokens": 5120, "output_tokens": 2560, "cached_input_tokens": null, "reasoning_tokens": null,
   "energy_j": 884.0, "net_energy_j": 610.2, "uncertainty_j": 4.1, "duration_s": 6.2,
   "metrics": {"wh_per_query": 0.01228, "net_wh_per_query": 0.008475, "wh_per_1k_tokens": 0.03197,
               "wh_per_1k_output_tokens": 0.0959, "j_per_token": 0.1151, "j_per_output_token": 0.3453,
               "wh_total": 0.2456, "average_power_w": 142.6}, "interval95": {"wh_per_query": [0.01205, 0.01251]},
   "rounds": [{"energy_j": 177.1, "net_energy_j": 122.0, "duration_s": 1.24, "queries": 4, "input_tokens": 1024, "output_tokens": 512}],
   "devices": [{"id": "GPU-...", "energy_j": 884.0}],
   "budgets": [{"metric": "wh_per_query", "limit": 0.05, "value": 0.01228, "outcome": "within", "from": "marker"}],
   "comparison": {"metric": "wh_per_query", "baseline": 0.0119, "change": 0.032, "interval95": [0.011, 0.053], "outcome": "unchanged"}}]}
"""  # noqa: E501 - as the design has it
