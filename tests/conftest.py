"""Fixtures that all tests share."""

import asyncio
import importlib
import pkgutil
import signal
import uuid
from collections.abc import Iterator

import pytest
from simulated_nvml import SimulatedNvml

import pytest_whq
from pytest_whq.errors import SourceError
from pytest_whq.sources import Opening, standing_in
from pytest_whq.sources.base import PowerSource

pytest_plugins = [
    *("pytester", "pytest_whq.testing.project"),
    *(
        "imported",
        "measured_project",
        "readme_project",
        "real_engines",
        "real_prometheus",
        "simulated_project",
    ),
]

# A session within a test takes away what it was the first to load: each would load the package anew.
for module in pkgutil.walk_packages(pytest_whq.__path__, "pytest_whq."):
    importlib.import_module(module.name)

# Hypothesis loads itself whole at the end of every session, anyio loads trio at the beginning.
LITTLE = "-p no:hypothesispytest -p no:anyio"

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As a shell leaves it for what it runs in the background; sessions within tests, which inherit it, would
    # ignore the Ctrl-C that tests send them.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """An option for machines on which nothing is missing."""
    parser.addoption("--no-skips", action="store_true", help="Fail where a test is skipped.")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail where a test was skipped that must not be."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("no_skips") and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.fixture(autouse=True)
def no_choice_of_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the choice of GPUs to the test, whatever the machine that runs it has set."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.delenv("CUDA_DEVICE_ORDER", raising=False)


@pytest.fixture(autouse=True)
def not_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let pytest and the plugin write as they do for a person, wherever these tests run."""
    for variable in ("CI", "BUILD_NUMBER", "GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True)
def no_known_boards(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what calibrations show, and read it, elsewhere than whoever runs these tests does."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / f"cache-{uuid.uuid4()}"))


@pytest.fixture(autouse=True)
def no_sensors_but_nvml() -> Iterator[None]:
    """Hide what else the machine that runs the tests can measure."""

    def absent(name: str) -> Opening:
        def refuse(devices: str | None) -> PowerSource:
            raise SourceError(f"{name}: nothing here.", "no_source")

        return refuse

    with standing_in({name: absent(name) for name in ("rapl", "hwmon", "amdsmi", "zeus")}):
        yield


@pytest.fixture(autouse=True)
def sessions_within_tests_load_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out plugins that take longer than most of these sessions do."""
    monkeypatch.setenv("PYTEST_ADDOPTS", LITTLE)


@pytest.fixture
def pytester(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose sessions load no more than they need, and leave no event loop open."""
    monkeypatch.setenv("PYTEST_ADDOPTS", LITTLE)  # Pytester has taken it away.
    # pytest-asyncio asks for the thread's event loop to restore it, which makes one that nobody closes.
    asyncio.set_event_loop(None)
    return pytester


@pytest.fixture
def simulated_nvml() -> Iterator[SimulatedNvml]:
    """One simulated GPU that draws 70 W; its counter ticks every 100 ms at a phase fixed by the seed."""
    with SimulatedNvml() as nvml:
        # One of its own, or tests that run at the same time wait for each other to measure on it.
        nvml.gpu(0).uuid = f"GPU-{uuid.uuid4()}"
        yield nvml
