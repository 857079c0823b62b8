"""The README holds: its tests run, its settings are read, its commands answer as it shows."""

import json
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import named_cpu
import pytest
from readme_project import README, ROOT, ReadmeProject, blocks, commands
from simulated_nvml import SimulatedNvml

from pytest_whq.cli import main
from pytest_whq.judging.budget_file import parse_budgets
from pytest_whq.model import METRICS, REASONS
from pytest_whq.storing.runfile import run_from_dict

EXAMPLE = (ROOT / "example_project/README.md").read_text("utf-8")
PYTEST = "pytest --whq-budget --no-header"
WITH_CACHE = "pytest -k long --whq-budget --no-header"
WITHOUT_CACHE = f"CHAT_KV_CACHE=0 {WITH_CACHE}"
CPU_NAMES = (
    "Z80",
    "AMD Ryzen Threadripper PRO 7995WX with a name, and more " * 3 + "end",
)
SHOWN_CPU = "AMD EPYC"
"""That of the machine whose output the README shows."""

PAGES = (
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "example_project/README.md",
)
OF_USERS = {"conftest.py", "model.py", "models/gpt-oss/tokenizer.json", ".whq/history"}
"""Paths that pages name, but in a project that uses this one."""

SET_UP = "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s {}"


def without_seconds(output: str) -> str:
    """What pytest printed, less how long that took."""
    return re.sub(r"=+ (.*) in [\d.]+s =+", r"\1", output)


def gist(output: str, cpu: str) -> list[str]:
    """What stays of pytest-whq's lines when it measures again: no figures, no name of the ``cpu``."""
    output = output.replace(cpu, "CPU")
    ours = [line for line in output.splitlines() if re.match(r"\w+ is \d|\S+::\S+   |\d+ measured", line)]
    lines = [re.sub(r"± +[\d.]+ %", "", line) for line in ours]
    lines = [re.sub(r"\d[\d.]*( [µmn]?(Wh|J)\b)?", "", line) for line in lines]
    return [" ".join(line.split()) for line in lines]


def test_its_tests_give_the_output_that_it_shows(readme_project: ReadmeProject) -> None:
    result = readme_project.run(PYTEST)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert without_seconds(str(result.stdout)) == without_seconds(commands()[PYTEST])
    (sentence,) = blocks("text")
    assert sentence.replace("\n", " ").strip() in str(result.stdout)


def test_the_command_shows_and_judges_a_run(
    readme_project: ReadmeProject, capsys: pytest.CaptureFixture[str]
) -> None:
    readme_project.run(f"{PYTEST} --whq-json whq.json")
    readme_project.pytester.makefile(".toml", whq=blocks("toml")[0].replace("tool.whq.", ""))
    capsys.readouterr()
    for command, lines in (("whq show -v", 20), ("whq check whq.json --budgets whq.toml", 11)):
        assert command in commands()
        assert main(command.split()[1:]) == 0
        shown = capsys.readouterr().out.splitlines()
        assert (len(shown), shown[-1].partition(" ")[0]) == (lines, "5")


def cells(line: str) -> list[str]:
    """The columns of a line, however wide they stand."""
    return re.split(" {2,}", line)


@pytest.mark.parametrize("name", CPU_NAMES, ids=len)
def test_the_command_lists_devices(
    name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_whq.sources.estimate.cpu_name", lambda: name)
    with SimulatedNvml(name="NVIDIA H200") as nvml:
        nvml.gpu(0).configure(power_limit_w=700)
        assert main(["devices"]) == 0
    gpu, estimate, default = capsys.readouterr().out.splitlines()
    shown = commands()["whq devices"].splitlines()
    # How often the counter ticks is measured; the CPU is this machine's, and sets how wide its column is.
    assert cells(re.sub(r"[\d.]+ ms", "100 ms", gpu)) == cells(shown[0])
    assert cells(estimate)[1:] == [name, *cells(shown[1])[2:]]
    assert default == shown[2]


@pytest.mark.once
@pytest.mark.parametrize("name", CPU_NAMES, ids=len)
@pytest.mark.parametrize(("command", "code"), [(WITH_CACHE, 0), (WITHOUT_CACHE, 1)])
def test_the_example_is_over_budget_only_without_its_cache(
    command: str, code: int, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    variable, _, arguments = command.rpartition("pytest ")
    monkeypatch.setenv("CHAT_KV_CACHE", "0" if variable == "CHAT_KV_CACHE=0 " else "1")
    monkeypatch.setenv(named_cpu.VARIABLE, name)
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests"))
    quick = ["-p", "named_cpu", "-p", "no:cacheprovider", "--whq-source", "estimate", "--whq-rounds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *arguments.split(), *quick],
        cwd=ROOT / "example_project",
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout
    assert gist(done.stdout, name) == gist(commands(EXAMPLE)[command], SHOWN_CPU)


def test_what_it_sets_up_is_what_is_checked() -> None:
    for session in ("example", "tests"):
        assert SET_UP.format(session) in commands()
        assert f"\ndef {session}(session: nox.Session)" in (ROOT / "noxfile.py").read_text("utf-8")
    assert 'name = "pytest-whq"' in (ROOT / "pyproject.toml").read_text("utf-8")


def test_every_command_is_tested_here() -> None:
    assert commands().keys() == {
        PYTEST,
        SET_UP.format("example"),
        SET_UP.format("tests"),
        "pip install pytest-whq",
        "whq devices",
        "whq show -v",
        "whq check whq.json --budgets whq.toml",
    }


def test_the_steps_for_ci_are_those_of_the_example() -> None:
    (steps,) = blocks("yaml")
    assert steps in (ROOT / "example_project/.github/workflows/energy.yml").read_text("utf-8")


def test_every_metric_is_there() -> None:
    listed = section("Budgets, baselines and CI").split("It stands")[0]
    assert re.findall(r"`(\w+)`[,.]", listed) == list(METRICS)


def test_every_link_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_and_module_that_a_page_names_is_there(page: Path) -> None:
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]*|\w+\.py)`", text):
        places = (ROOT, ROOT / "pytest_whq", page.parent)
        assert path in OF_USERS or any((place / path).exists() for place in places), path
    for name in re.findall(r"`(pytest_whq(?:\.\w+)+)`", text):
        pkgutil.resolve_name(name)


def test_the_page_of_reasons_has_each_of_them() -> None:
    page = (ROOT / "docs/reasons.md").read_text("utf-8")
    assert re.findall(r"^## `(\w+)`", page, re.MULTILINE) == list(REASONS)
    assert [bool(metrics) for metrics in REASONS.values()] == [True] * 14 + [False] * 9


def test_the_pages_show_a_run_and_budgets_that_are_read() -> None:
    (run,) = blocks("json", (ROOT / "docs/run-file.md").read_text("utf-8"))
    assert run_from_dict(json.loads(run), "docs/run-file.md").records[0].measurement.queries == 20
    page = (ROOT / "docs/budgets.md").read_text("utf-8")
    assert parse_budgets(blocks("toml", page)[0], "whq.toml")[0].limits.keys() < set(METRICS)
    assert re.findall(r"^\| `(\w+)` \| \w+ \|", page, re.MULTILINE) == list(METRICS)


def section(title: str) -> str:
    """The text under the heading ``title`` of the README."""
    return README.split(f"\n## {title}\n")[1].split("\n## ")[0]
