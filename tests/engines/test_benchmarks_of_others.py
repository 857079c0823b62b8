"""The fixtures of pytest-benchmark and pytest-codspeed, measured by ``--whq-benchmark``, tests unchanged."""

import pytest
from measured_project import MeasuredProject

pytestmark = [pytest.mark.engine, pytest.mark.once]

TESTS = """
import pytest

CALLS = []

def chat(client):
    CALLS.append(1)
    return client.chat("hi")

@pytest.mark.benchmark(max_time=0.0001)
def test_called(benchmark, client):
    benchmark(chat, client)
    print(f"test_called[{len(CALLS)}]")

def test_pedantic(benchmark, client):
    CALLS.clear()
    assert benchmark.pedantic(chat, args=(client,), rounds=2, iterations=3)["echo"] == "hi"
    print(f"test_pedantic[{len(CALLS)}]")
"""


@pytest.mark.parametrize(
    ("package", "arguments", "sign"),
    [
        ("pytest_benchmark", ["-p", "no:codspeed", "--benchmark-min-rounds=3"], "Name (time in *"),
        (
            "pytest_codspeed",
            ["--codspeed", "--codspeed-warmup-time=0", "--codspeed-max-time=0.01"],
            "*Benchmark Results*",
        ),
    ],
)
def test_each_call_that_a_benchmark_makes_is_a_query(
    project: MeasuredProject,
    package: str,
    arguments: list[str],
    sign: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip(package)
    # pytest-benchmark disables itself in what it takes for a worker.
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    project.tests(TESTS)
    result = project.run_apart("--whq-benchmark", "-s", *arguments)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines([sign])
    for name, record in project.records.items():
        # As many as the test itself has counted: those that calibrate, too.
        result.stdout.fnmatch_lines([f"*{name}[[]{record['queries']}[]]*"])
        assert record["output_tokens"] == 50 * record["queries"]
        assert record["metrics"]["wh_per_query"] == pytest.approx(0.1)
