"""The table by role of a report in Markdown."""

from dataclasses import replace
from typing import Any

import pytest
from readme_project import ROOT
from samples import a_record, a_run

from pytest_whq.model import Device, DeviceEnergy, Run, TokenCount
from pytest_whq.model.serving import Phase, Phases
from pytest_whq.rendering import RENDERERS

ROLES = ("prefill", "prefill", "decode", "decode", "decode", "decode")


def a_cluster_run(roles: tuple[str | None, ...] = ROLES, **changes: Any) -> Run:
    """Two GPUs that prefill at 360 W for a minute, and four that decode at 630 W."""
    devices = [Device(f"GPU-{n}", "NVIDIA GB200", 1200.0, role) for n, role in enumerate(roles)]
    figures: dict[str, Any] = {
        "devices": tuple(DeviceEnergy(f"GPU-{n}", 21600.0 if n < 2 else 37800.0) for n in range(6)),
        "energy_j": 194400.0,
        "duration_s": 60.0,
        "queries": 2000,
        "tokens": TokenCount(4_096_000, 512_000),
        "phases": Phases(
            "role", Phase(43200.0, 80.0, None, 4_096_000), Phase(151200.0, 120.0, None, 512_000)
        ),
    }
    run = a_run(a_record("tests/energy/test_serving.py::test_under_load", **(figures | changes)))
    return replace(run, rig=replace(run.rig, source="dcgm", devices=tuple(devices)))


def table(run: Run) -> list[str]:
    """The lines of the table by role."""
    _, header, after = RENDERERS["markdown"](run).partition("| By role |")
    return (header + after).partition("\n\n")[0].splitlines()


def test_the_page_on_clusters_shows_the_table_of_such_a_run() -> None:
    shown = table(a_cluster_run())
    assert len(shown) == 4
    assert "\n".join(shown) in (ROOT / "docs/cluster.md").read_text("utf-8")


def test_without_roles_there_is_none() -> None:
    assert table(a_cluster_run((None,) * 6)) == []


def test_roles_of_the_users_own_have_no_tokens() -> None:
    run = a_cluster_run(("router",) * 2 + ("worker",) * 4, phases=None)
    assert [line.split(" | ")[1:] for line in table(run)[2:]] == [
        ["router", "2", "12.0 Wh", "720 W |"],
        ["worker", "4", "42.0 Wh", "2.52 kW |"],
    ]


@pytest.mark.parametrize("energy_j", [None, 0.0])
def test_a_role_whose_energy_is_not_known_has_no_row(energy_j: float | None) -> None:
    devices = tuple(DeviceEnergy(f"GPU-{n}", energy_j if n == 0 else 100.0) for n in range(6))
    roles = [line.split(" | ")[1] for line in table(a_cluster_run(devices=devices))[2:]]
    assert roles == (["decode"] if energy_j is None else ["prefill", "decode"])
