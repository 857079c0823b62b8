import pytest
from measured_project import MeasuredProject

from pytest_whq.model import METRICS


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        (
            "whq(round=3)",
            (
                "the whq marker has no 'round', only rounds, warmup, min_seconds, max_seconds, precision, "
                "idle_ok, max_cached."
            ),
        ),
        ("whq(3)", "the whq marker takes keywords only, such as rounds=10, not 3."),
        (
            "whq(rounds=0)",
            "the whq marker: rounds must be a whole number of at least 1, not 0.",
        ),
        (
            "whq(warmup=1.5)",
            "the whq marker: warmup must be a whole number of at least 0, not 1.5.",
        ),
        (
            "whq(max_cached=1)",
            'the whq marker: max_cached must be a share from 0 to "100%", such as "2%" or 0.02, not 1.',
        ),
        (
            "whq(min_seconds=-1)",
            "the whq marker: min_seconds must be a number of seconds of at least 0, not -1.",
        ),
        (
            "whq(precision=0.01, rounds=5)",
            (
                "the whq marker: rounds has no effect, since without the whq fixture the whole test is one "
                "query. Take the fixture and call whq(call), or leave it out."
            ),
        ),
        (
            "whq(max_seconds=0)",
            "the whq marker: max_seconds must be a number of seconds above 0, not 0.",
        ),
        (
            "whq(precision='tight')",
            "the whq marker: precision must be a share such as \"2%\" or 0.02, not 'tight'.",
        ),
        ("whq(precision=2)", 'the whq marker: precision must be a share such as "2%" or 0.02, not 2.'),
        (
            "whq_budget(0.05)",
            "the whq_budget marker takes keywords only, such as wh_per_query=0.05, not 0.05.",
        ),
        (
            "whq_budget(wh_per_qery=0.05)",
            (
                "the whq_budget marker: there is no 'wh_per_qery' (did you mean wh_per_query?), only "
                f"{', '.join(METRICS)}, max_regression, max_failed, hardware, estimate."
            ),
        ),
        (
            "whq_budget(hardware='NVIDIA*')",
            (f"the whq_budget marker sets no limit: give it one of {', '.join(METRICS)}, max_regression."),
        ),
        (
            "whq_budget(wh_per_query='a lot')",
            "the whq_budget marker: wh_per_query must be a number of Wh above 0, not 'a lot'.",
        ),
    ],
)
def test_a_marker_that_cannot_be_used_is_refused_before_anything_runs(
    project: MeasuredProject, marker: str, sentence: str
) -> None:
    project.tests(
        f"""
        import pytest

        def test_other():
            pass

        @pytest.mark.{marker}
        def test_marked():
            pass
        """
    )
    result = project.run()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert result.errlines == [f"ERROR: test_it.py::test_marked: {sentence}", ""]
    result.assert_outcomes()
    assert not (project.path / "run.json").exists()


def test_a_marker_that_is_set_while_tests_run_counts_and_is_refused_in_a_sentence(
    project: MeasuredProject,
) -> None:
    project.tests(
        """
        import pytest

        def test_limited(request, whq, client):
            request.node.add_marker(pytest.mark.whq_budget(wh_per_query=0.09))
            whq(client.chat, "Say hi.")

        def test_mistaken(request, whq, client):
            request.node.add_marker(pytest.mark.whq_budget(wh=0.09))
            whq(client.chat, "Say hi.")
        """
    )
    result = project.run("--whq-budget")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "_* test_limited _*",
            "wh_per_query is 100 mWh, 11.1 % over its budget of 90.0 mWh (marker): *",
            "_* test_mistaken _*",
            "test_it.py::test_mistaken: the whq_budget marker: there is no 'wh', only *",
            "-* energy, Wh per query -*",
        ],
        consecutive=True,
    )
