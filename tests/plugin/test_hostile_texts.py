"""What devices and errors are called reaches the terminal and a job's log as text."""

import pytest
from measured_project import MeasuredProject

HOSTILE = "::error::x\\n::error::owned\\x1b]0;owned\\x07\\u202e##[error]owned"


def test_a_session_shows_the_names_of_devices_and_errors_and_obeys_none(
    project: MeasuredProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    project.use_real_time()
    project.conftest(
        f"""
from pytest_whq import SourceError
NAME = "{HOSTILE}"

class Hostile(SteadySource):
    def devices(self):
        return (Device(f"GPU-steady-{{os.getpid()}}-{{id(self)}}", NAME, None, NAME),)

def fail():
    raise SourceError(NAME)

def pytest_whq_record(record):
    raise ValueError(NAME)

def pytest_whq_power_sources():
    return {{"hostile": Hostile, "failing": fail}}
"""
    )
    project.tests(
        """
        import pytest, time

        @pytest.mark.whq_budget(wh_per_query=1e-9)
        def test_it(whq):
            with whq.measure() as window:
                time.sleep(0.3)
                window.record({})
        """
    )
    for source in ("hostile", "failing"):
        result = project.run_apart(f"--whq-source={source}", "--whq-budget", "-v")
        result.assert_outcomes(failed=1)
        lines = (result.stdout.str() + result.stderr.str()).splitlines()
        obeyed = [line for line in lines if line.lstrip().startswith("::")]
        assert [line[:27] for line in obeyed] == ["::error file=test_it.py,lin"]
        assert not any("##[" in line for line in lines)
        assert all(line.isprintable() for line in lines)
        assert any("owned" in line for line in lines)
