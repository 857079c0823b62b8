"""``whq ab`` on small git repositories whose tests load a simulated GPU."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from patience import PATIENT_S
from repositories import QUICK, TEST, git, make_repository
from simulated_nvml import SimulatedNvml

from pytest_whq.cli import ab, main
from pytest_whq.cli.worktree import bring_tests, checked_out

pytestmark = pytest.mark.once

WHQ = Path(sys.executable).with_name("whq")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose one commit draws 200 W in its one measured test."""
    return make_repository(tmp_path / "repository")


def whq_ab(folder: Path, nvml: SimulatedNvml, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(WHQ), "ab", *arguments],
        cwd=folder,
        env={**os.environ, **nvml.env(), "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=PATIENT_S,
    )


@pytest.mark.parametrize("wrong", [["--name", "gpu/fp16"], ["--sort", "bogus"], ["--group-by", "bogus"]])
def test_what_the_report_cannot_be_is_refused_before_anything_is_measured(
    wrong: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def measured(options: object) -> None:
        raise AssertionError("measured")

    monkeypatch.setattr(ab, "measure_in_turns", measured)
    assert main(["ab", "HEAD", *wrong, "--", "tests"]) == 2
    assert capsys.readouterr().err.startswith(f"whq: {wrong[0]} cannot be '{wrong[1]}'")


def trees(folder: Path) -> int:
    """How many worktrees the repository has, its own included."""
    return git(folder, "worktree", "list", "--porcelain").count("worktree ")


def test_a_head_that_doubles_the_load_regressed(repository: Path, simulated_nvml: SimulatedNvml) -> None:
    (repository / "chat.py").write_text("WATTS = 400\n")
    with open(repository / "pyproject.toml", "a") as settings:
        settings.write("whq_save = true\n")
    before = git(repository, "status", "--porcelain")

    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "2", "--", "tests", *QUICK)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "regressed" in done.stdout
    assert done.stderr.splitlines() == [
        "whq: base, a run to warm up, which does not count",
        "whq: base, run 1 of 2",
        "whq: head, run 1 of 2",
        "whq: head, run 2 of 2",
        "whq: base, run 2 of 2",
        "whq: base, 1 test that may have changed once more (1 of 2)",
        "whq: head, 1 test that may have changed once more (1 of 2)",
        "whq: base, 1 test that may have changed once more (2 of 2)",
        "whq: head, 1 test that may have changed once more (2 of 2)",
    ]
    assert git(repository, "status", "--porcelain") == before
    assert trees(repository) == 1


def test_a_commit_of_docs_alone_is_no_change(
    repository: Path, simulated_nvml: SimulatedNvml, tmp_path: Path
) -> None:
    (repository / "README.md").write_text("Now documented.\n")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "docs")

    runs = tmp_path / "runs"
    done = whq_ab(
        repository, simulated_nvml, "HEAD~1", "--pairs", "2", "--runs", str(runs), "--", "tests", *QUICK
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "no change"
    assert sorted(path.name for path in runs.iterdir()) == [
        "base-1.json",
        "base-2.json",
        "head-1.json",
        "head-2.json",
    ]


def test_ctrl_c_leaves_no_worktree_behind(repository: Path, simulated_nvml: SimulatedNvml) -> None:
    with subprocess.Popen(
        [str(WHQ), "ab", "HEAD", "--", "tests", "--whq-rounds", "100", "--whq-max-seconds", "60"],
        cwd=repository,
        env={**os.environ, **simulated_nvml.env()},
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == b"whq: base, a run to warm up, which does not count\n"
        assert trees(repository) == 2

        time.sleep(1)
        os.killpg(running.pid, signal.SIGINT)

        assert running.wait(timeout=PATIENT_S) == 130
    assert trees(repository) == 1


def test_tests_that_cannot_be_collected_end_it_with_their_output(
    repository: Path, simulated_nvml: SimulatedNvml
) -> None:
    (repository / "tests" / "test_chat.py").write_text("import nowhere_to_be_found\n")

    done = whq_ab(repository, simulated_nvml, "HEAD", "--", "tests", *QUICK)

    assert done.returncode == 2
    assert "No module named 'nowhere_to_be_found'" in done.stderr
    assert done.stderr.splitlines()[-1] == ("whq: pytest ended with exit code 2 on the base, as shown above.")
    assert trees(repository) == 1


def test_a_base_that_is_no_commit_is_one_sentence(repository: Path, simulated_nvml: SimulatedNvml) -> None:
    done = whq_ab(repository, simulated_nvml, "nosuchbranch", "--", "tests")

    assert done.returncode == 2
    assert done.stderr == "whq: nosuchbranch is no commit of this repository.\n"


def test_the_heads_tests_run_on_the_base(repository: Path) -> None:
    (repository / "tests" / "data.txt").write_text("not yet tracked\n")
    (repository / "tests" / "test_chat.py").write_text("changed\n")
    (repository / "chat.py").write_text("WATTS = 400\n")

    with checked_out(repository, "HEAD") as base:
        bring_tests(repository, base, [])
        assert (base / "tests" / "data.txt").read_text() == "not yet tracked\n"
        assert (base / "tests" / "test_chat.py").read_text() == "changed\n"
        assert (base / "chat.py").read_text() == "WATTS = 200\n"


PACKAGED = TEST.replace("from chat import", "from shop.chat import")


def packaged(repository: Path, folder: str) -> None:
    """Move what the test imports into a package in ``folder``, in a commit of its own."""
    (repository / folder / "shop").mkdir(parents=True)
    (repository / folder / "shop" / "__init__.py").touch()
    git(repository, "mv", "chat.py", f"{folder}/shop/chat.py")
    (repository / "tests" / "test_chat.py").write_text(PACKAGED)
    (repository / "pyproject.toml").write_text(
        '[tool.pytest.ini_options]\nasyncio_default_fixture_loop_scope = "function"\n'
    )
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "a package")


def test_each_side_runs_its_own_code_wherever_its_package_lies(
    repository: Path, simulated_nvml: SimulatedNvml, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged(repository, "python")
    # As an editable install does, which puts the head's folder on the path of every Python.
    monkeypatch.setenv("PYTHONPATH", str(repository / "python"))
    (repository / "python" / "shop" / "chat.py").write_text("WATTS = 400\n")

    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "2", "--", "tests", *QUICK)

    assert done.returncode == 1, done.stdout + done.stderr
    assert "regressed" in done.stdout


def test_a_side_that_runs_an_installed_copy_is_refused(
    repository: Path, simulated_nvml: SimulatedNvml, tmp_path: Path
) -> None:
    packaged(repository, "python")
    copy = tmp_path / "site"
    (copy / "shop").mkdir(parents=True)
    (copy / "shop" / "__init__.py").touch()
    (copy / "shop" / "chat.py").write_text("WATTS = 200\n")
    conftest = f"import sys\nsys.path.insert(0, {str(copy)!r})\n"
    (repository / "tests" / "conftest.py").write_text(conftest)

    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "2", "--", "tests", *QUICK)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith("whq: The base did not run its own code: it imported shop")


def test_where_nothing_can_be_compared_it_is_said_and_fails(
    repository: Path, simulated_nvml: SimulatedNvml
) -> None:
    (repository / "tests" / "test_chat.py").write_text(TEST.replace("whq(chat)", "whq.measure().__enter__()"))

    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "2", "--", "tests", *QUICK)

    assert done.returncode == 1, done.stderr
    assert "Nothing was compared: nothing was measured" in done.stdout.splitlines()


def test_an_odd_number_of_pairs_is_refused(repository: Path, simulated_nvml: SimulatedNvml) -> None:
    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "3", "--", "tests")

    assert done.returncode == 2
    assert "must be an even number, so that a drift cancels, not 3" in done.stderr


def test_a_test_that_fails_on_the_base_is_said_and_not_compared(
    repository: Path, simulated_nvml: SimulatedNvml
) -> None:
    (repository / "tests" / "test_chat.py").write_text(
        f"{TEST}\ndef test_new(whq):\n    import new\n    whq(chat)\n"
    )
    (repository / "new.py").touch()

    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "2", "--", "tests", *QUICK)

    assert done.returncode == 0, done.stdout + done.stderr
    failed = "whq: Tests failed on the base: what they did not measure there is not compared."
    assert done.stderr.splitlines()[:4] == [
        "whq: base, a run to warm up, which does not count",
        failed,
        "whq: base, run 1 of 2",
        failed,
    ]
    assert "Tests failed on the head" not in done.stderr
    (line,) = (line for line in done.stdout.splitlines() if "test_new" in line)
    assert "new" in line.split()  # A busy machine adds a warning.


def test_a_base_on_which_every_test_fails_is_refused(repository: Path, simulated_nvml: SimulatedNvml) -> None:
    (repository / "tests" / "test_chat.py").write_text("def test_new(whq):\n    import new\n    whq(chat)\n")

    done = whq_ab(repository, simulated_nvml, "HEAD", "--pairs", "2", "--", "tests", *QUICK)

    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == "whq: The base measured nothing: its tests failed."
