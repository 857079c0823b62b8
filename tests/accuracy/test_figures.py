"""A 3 s window in a session of its own: the figures in the file, the table and the failing sentence."""

import pytest
from simulated_project import SimulatedProject, within

from pytest_whq.units import format_percent, format_quantity


def test_file_table_and_failing_sentence_hold_the_same_right_figures(
    simulated_project: SimulatedProject,
) -> None:
    simulated_project.tests("""
        @pytest.mark.whq_budget(wh_per_query=0.01, wh_per_1k_tokens=5)
        def test_it(whq, chat):
            with whq.measure() as window:
                for _ in range(4):
                    window.record(chat(0.75))
    """)
    result = simulated_project.run_apart("--whq-budget")
    result.assert_outcomes(failed=1)
    record = simulated_project.records["test_it"]
    energy_j = record["energy_j"]
    assert energy_j == within(simulated_project.true_j("test_it"), 0.005, record["uncertainty_j"])
    counts = ("queries", "failed_queries", "input_tokens", "output_tokens")
    assert [record[name] for name in counts] == [4, 0, 400, 200]
    expected = {
        "wh_per_query": energy_j / 3600 / 4,
        "net_wh_per_query": record["net_energy_j"] / 3600 / 4,
        "wh_per_1k_tokens": energy_j / 600 / 3600 * 1000,
        "wh_per_1k_output_tokens": energy_j / 200 / 3600 * 1000,
        "j_per_token": energy_j / 600,
        "j_per_output_token": energy_j / 200,
        "wh_total": energy_j / 3600,
        "average_power_w": energy_j / record["duration_s"],
    }
    assert {name: record["metrics"][name] for name in expected} == pytest.approx(expected)
    net_j = simulated_project.true_j("test_it") - 70 * record["duration_s"]
    assert record["net_energy_j"] == within(net_j, 0.05, record["uncertainty_j"])
    value = energy_j / 3600 / 4
    shown, over = format_quantity(value, "Wh"), format_percent(value / 0.01 - 1)
    sentence = f"wh_per_query is {shown}, {over} over its budget of 10.0 mWh (marker): 4 queries, "
    row = f"test_it.py::test_it   {shown} ± *   {format_percent(value / 0.01)} of 10.0 mWh, exceeded"
    gpu = "NVIDIA H100 80GB HBM3"
    result.stdout.fnmatch_lines(
        [
            f"{sentence}400 input and 200 output tokens, {gpu}, nvml counter.",
            row,
            f"1 measured, 1 over budget · {gpu}, 700 W limit · nvml counter · gross, GPU board",
        ]
    )


def test_every_window_of_a_test_adds_to_its_record(simulated_project: SimulatedProject) -> None:
    simulated_project.tests("""
        def test_it(whq, chat):
            for watts in (450.0, 200.0):
                with whq.measure() as window:
                    window.record(chat(0.4, watts))
    """)
    simulated_project.run().assert_outcomes(passed=1)
    record = simulated_project.records["test_it"]
    assert len(record["rounds"]) == len(simulated_project.spans["test_it"]) == 2
    assert record["energy_j"] == within(simulated_project.true_j("test_it"), 0.01, record["uncertainty_j"])
