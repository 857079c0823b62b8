"""--whq-benchmark: what a ``benchmark`` fixture calls is measured, and the fixture stays what it is."""

import os

import pytest
from measured_project import MeasuredProject, run_with

LIKE_BENCHMARK = """
class Other:
    pass

class BenchmarkFixture:
    def __init__(self):
        self.used = 0

    def __call__(self, call, *args, **kwargs):
        self.used += 1
        for _ in range(3):
            reply = call(*args, **kwargs)
        return reply

    def pedantic(self, target, args=(), kwargs=None, rounds=1):
        for _ in range(rounds):
            reply = target(*args, **(kwargs or {}))
        return reply

class LikeCodspeed(BenchmarkFixture):
    @property
    def __class__(self):
        return Other

@pytest.fixture(params=[BenchmarkFixture, LikeCodspeed], ids=["plain", "disguised"])
def benchmark(request):
    return request.param()
"""
"""Fixtures of the shape of pytest-benchmark's and of pytest-codspeed's: a class that says it is another."""

TESTS = """
def test_called(benchmark, client):
    reply = benchmark(client.chat, "hi", seconds=2.0)
    assert reply["echo"] == "hi"
    assert benchmark.used == 1
    assert type(benchmark).__name__ in ("BenchmarkFixture", "LikeCodspeed")
"""


@pytest.fixture
def benchmarks(project: MeasuredProject, monkeypatch: pytest.MonkeyPatch) -> MeasuredProject:
    """The project, in which such fixtures are, and the real ones nowhere."""
    monkeypatch.setenv("PYTEST_ADDOPTS", f"{os.environ['PYTEST_ADDOPTS']} -p no:benchmark -p no:codspeed")
    project.conftest(LIKE_BENCHMARK)
    return project


@pytest.mark.parametrize("given", ["option", "ini"], indirect=True)
def test_each_call_is_a_query_with_its_tokens(benchmarks: MeasuredProject, given: str) -> None:
    benchmarks.tests(TESTS)
    run_with(benchmarks, given, whq_benchmark="true").assert_outcomes(passed=2)
    for name in ("plain", "disguised"):
        record = benchmarks.records[f"test_called[{name}]"]
        assert (record["queries"], record["input_tokens"], record["output_tokens"]) == (3, 300, 150)
        assert record["metrics"]["wh_per_query"] == pytest.approx(0.2)


def test_pedantic_benchmarks_and_replies_without_tokens_are_counted(benchmarks: MeasuredProject) -> None:
    benchmarks.tests(
        """
        def test_pedantic(benchmark, client):
            assert benchmark.pedantic(client.chat, args=("hi",), rounds=4)["echo"] == "hi"

        def test_silent(benchmark, client):
            assert benchmark.pedantic(target=lambda: len(client.chat("hi")), rounds=4) == 4
        """
    )
    benchmarks.run("--whq-benchmark", "-k", "plain").assert_outcomes(passed=2)
    assert [record["queries"] for record in benchmarks.records.values()] == [4, 4]
    assert [record["output_tokens"] for record in benchmarks.records.values()] == [200, None]
    assert [record["reasons"] for record in benchmarks.records.values()] == [[], ["tokens_missing"]]


def test_a_call_that_fails_fails_as_ever(benchmarks: MeasuredProject) -> None:
    benchmarks.tests(
        """
        import pytest

        def test_fails(benchmark, client):
            with pytest.raises(ConnectionError):
                benchmark(client.fail, "hi")
        """
    )
    benchmarks.run("--whq-benchmark", "-k", "plain").assert_outcomes(passed=1)
    assert benchmarks.records["test_fails[plain]"]["failed_queries"] == 1


def test_a_response_is_a_failed_query_where_it_refuses_after_others_did_not(
    benchmarks: MeasuredProject,
) -> None:
    benchmarks.tests(
        """
        from types import SimpleNamespace

        def test_refused(benchmark, client):
            statuses = iter([200, 429, 200])

            def ask():
                client.chat("hi")
                return SimpleNamespace(status_code=next(statuses), headers={})

            benchmark(ask)
        """
    )
    benchmarks.run("--whq-benchmark", "-k", "plain").assert_outcomes(passed=1)
    record = benchmarks.records["test_refused[plain]"]
    assert (record["queries"], record["failures"]) == (2, {"HTTP 429": 1})


def test_a_budget_fails_a_benchmark(benchmarks: MeasuredProject) -> None:
    benchmarks.tests(TESTS)
    result = benchmarks.run("--whq-benchmark", "--whq-max", "wh_per_query=0.1", "-k", "plain")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["wh_per_query is 200 mWh, 100.0 % over its budget of 100 mWh*"])


@pytest.mark.parametrize("arguments", [[], ["--whq-benchmark", "--whq-disable"]], ids=["unasked", "disabled"])
def test_a_benchmark_is_left_alone_otherwise(benchmarks: MeasuredProject, arguments: list[str]) -> None:
    benchmarks.tests(TESTS)
    benchmarks.run(*arguments).assert_outcomes(passed=2)
    assert not (benchmarks.path / "run.json").exists() or benchmarks.records == {}


def test_a_benchmark_that_calls_nothing_has_no_record(benchmarks: MeasuredProject) -> None:
    benchmarks.tests("def test_idle(benchmark): pass")
    benchmarks.run("--whq-benchmark").assert_outcomes(passed=2)
    assert benchmarks.records == {}


def test_a_marker_does_not_make_the_whole_benchmark_one_query(benchmarks: MeasuredProject) -> None:
    benchmarks.tests("import pytest\n\n@pytest.mark.whq_budget(wh_per_query=1)" + TESTS)
    benchmarks.run("--whq-benchmark", "-k", "plain").assert_outcomes(passed=1)
    record = benchmarks.records["test_called[plain]"]
    assert (record["queries"], record["budgets"][0]["outcome"]) == (3, "within")
