"""Prefill and decode by the roles of devices, from the setting to every report."""

import csv

import pytest
from measured_project import MeasuredProject, run_with

TWO_POOLS = """
B200 = Device(f"GPU-2-{__file__}", "Scripted B200")
DECODING = ScriptedSource(CLOCK, watts=720.0, period_s=1e-6, device=B200)
DECODING.labels = {B200.id: {"Hostname": "decode-1"}}

def pytest_whq_power_sources():
    return {"scripted": lambda: SOURCE, "decoding": lambda: DECODING}
"""

ONE_CALL = """
def test_chat(whq, client):
    whq(client.chat, "Say hi.")
"""

REPORTS = ("--whq-markdown=whq.md", "--whq-html=whq.html", "--whq-csv=whq.csv")


def test_energy_per_token_stands_by_role_in_every_report(project: MeasuredProject, given: str) -> None:
    project.conftest(TWO_POOLS)
    project.tests(ONE_CALL)
    roles = ["prefill=Scripted H100", "decode=decode-*"]
    if given == "ini":
        project.ini(whq_source="scripted+decoding", whq_role="\n    ".join(["", *roles]))
        result = project.run("-v", *REPORTS)
    else:
        options = [f"--whq-role={role}" for role in roles]
        result = project.run("-v", "--whq-source=scripted+decoding", *options, *REPORTS)
    result.assert_outcomes(passed=1)
    assert [device["role"] for device in project.stored["rig"]["devices"]] == ["prefill", "decode"]
    phases = project.records["test_chat"]["phases"]
    assert phases["separated_by"] == "role"
    # A call takes a second, for 100 input and 50 output tokens.
    assert phases["prefill"]["energy_j"] == pytest.approx(5 * 360.0, rel=1e-3)
    assert phases["decode"]["energy_j"] == pytest.approx(5 * 720.0, rel=1e-3)
    for shown in (
        str(result.stdout),
        *((project.path / name.split("=")[1]).read_text() for name in REPORTS[:2]),
    ):
        assert "3.60 J" in shown
        assert "14.4 J" in shown
    (row,) = csv.DictReader((project.path / "whq.csv").read_text().splitlines())
    per_token_j = [float(row["prefill_j_per_input_token"]), float(row["decode_j_per_output_token"])]
    assert per_token_j == pytest.approx([3.6, 14.4], rel=1e-3)


def test_a_role_that_no_device_fits_leaves_the_test_unmeasured(project: MeasuredProject, given: str) -> None:
    project.tests(ONE_CALL)
    run_with(project, given, whq_role="decode=node-9").assert_outcomes(passed=1)
    record = project.records["test_chat"]
    assert record["reasons"] == ["source_error"]
    assert record["why"]["source_error"].startswith("No device fits the role decode=node-9 (--whq-role)")
