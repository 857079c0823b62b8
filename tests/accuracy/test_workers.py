"""Several processes that measure on one GPU: they take turns, and every figure is its own."""

from itertools import pairwise

from simulated_project import SimulatedProject, within


def test_workers_take_turns_on_a_gpu(simulated_project: SimulatedProject) -> None:
    simulated_project.tests("""
        @pytest.mark.parametrize("number", range(12))
        def test_it(whq, chat, number):
            with whq.measure() as window:
                window.record(chat(0.3, 200.0 + 20 * number))
    """)
    simulated_project.run_apart("-n4").assert_outcomes(passed=12)
    records, spans = simulated_project.records, simulated_project.spans
    assert len(records) == len(spans) == 12
    in_order = sorted(span for of_test in spans.values() for span in of_test)
    assert all(before_end < after_start for (_, before_end), (after_start, _) in pairwise(in_order))
    for test, record in records.items():
        assert record["reasons"] == []
        assert record["energy_j"] == within(simulated_project.true_j(test), 0.01, record["uncertainty_j"])
