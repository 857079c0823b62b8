"""Where Linux's own things are missing, as on Windows and macOS, all but the taking of turns is there."""

import subprocess
import sys
from pathlib import Path

import pytest
from measured_project import MeasuredProject

TESTS = Path(__file__).parent.parent
CALL = 'def test_chat(whq, client):\n    whq(client.chat, "hi")\n'


def run_elsewhere(project: MeasuredProject, *arguments: str) -> str:
    command = [
        sys.executable,
        "-c",
        f"import sys; sys.path.insert(0, {str(TESTS)!r}); import elsewhere; elsewhere.main()",
    ]
    done = subprocess.run([*command, *arguments], cwd=project.path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "INTERNALERROR" not in done.stdout + done.stderr
    return done.stdout


@pytest.mark.once
def test_a_device_is_measured_and_one_sentence_says_that_nobody_takes_turns(project: MeasuredProject) -> None:
    project.tests(CALL)
    files = ["--whq-json=run.json", "--whq-html=page.html", "--whq-save", "--whq-update-baseline"]
    # Twice: the second session finds what the first has left.
    run_elsewhere(project, *files)
    run_elsewhere(project, *files)
    record = project.records["test_chat"]
    assert record["metrics"]["wh_per_query"] == pytest.approx(0.1)
    assert record["reasons"] == ["unclaimed"]
    assert record["why"]["unclaimed"] == (
        "Scripted H100 could not be claimed (Linux has no names by which processes take turns): "
        "what another process did on it meanwhile is counted"
    )
    assert len(list((project.path / ".whq" / "history").iterdir())) == 2
    assert (project.path / "whq-baseline.json").is_file()
    journals = list((project.path / ".pytest_cache" / "d" / "whq").iterdir())
    assert [journal.suffix for journal in journals] == [".jsonl", ".jsonl"]


@pytest.mark.once
def test_the_estimate_is_there(project: MeasuredProject) -> None:
    project.use_real_time()
    project.tests("def test_sum(whq):\n    whq(sum, range(100_000))\n")
    run_elsewhere(project, "--whq-source=estimate", "--whq-rounds=2", "--whq-json=run.json")
    record = project.records["test_sum"]
    assert "estimated" in record["reasons"]
    assert record["energy_j"] is not None, record["why"]
