"""The worktree of ``whq ab``: whole, gone afterwards, and nothing written outside it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path, PurePosixPath

import pytest
from patience import PATIENT_S

from pytest_whq.cli.worktree import bring_tests, checked_out, same_dependencies
from pytest_whq.errors import WhqError

WHQ = Path(sys.executable).with_name("whq")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *identity, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout


def commit(folder: Path) -> None:
    git(folder, "add", "-A")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", "a commit")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository without a commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return folder


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder beside the repository, whose files nobody may change."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "test_a.py").write_text("precious\n")
    return folder


def test_tests_are_not_copied_through_a_link_of_the_base_to_a_file(repository: Path, outside: Path) -> None:
    (repository / "test_a.py").symlink_to(outside / "test_a.py")
    commit(repository)
    (repository / "test_a.py").unlink()
    (repository / "test_a.py").write_text("new\n")
    with checked_out(repository, "HEAD") as base:
        bring_tests(repository, base, [])
        assert (base / "test_a.py").read_text() == "new\n"
    assert (outside / "test_a.py").read_text() == "precious\n"


def test_tests_are_not_copied_through_a_link_of_the_base_to_a_folder(repository: Path, outside: Path) -> None:
    (repository / "tests").symlink_to(outside)
    commit(repository)
    (repository / "tests").unlink()
    (repository / "tests" / "deep").mkdir(parents=True)
    (repository / "tests" / "test_a.py").write_text("new\n")
    (repository / "tests" / "deep" / "test_b.py").write_text("new\n")
    with checked_out(repository, "HEAD") as base:
        bring_tests(repository, base, [PurePosixPath("tests")])
        assert (base / "tests" / "test_a.py").read_text() == "new\n"
        assert (base / "tests" / "deep" / "test_b.py").read_text() == "new\n"
    assert [path.name for path in outside.iterdir()] == ["test_a.py"]
    assert (outside / "test_a.py").read_text() == "precious\n"


def test_a_link_of_the_head_stays_a_link(repository: Path, outside: Path) -> None:
    commit(repository)
    (repository / "test_a.py").symlink_to(outside / "test_a.py")
    with checked_out(repository, "HEAD") as base:
        bring_tests(repository, base, [])
        assert (base / "test_a.py").readlink() == outside / "test_a.py"


def test_a_file_makes_way_for_a_folder_and_a_folder_for_a_file(repository: Path) -> None:
    (repository / "tests").write_text("a file\n")
    (repository / "test_a.py").mkdir()
    (repository / "test_a.py" / "kept.txt").touch()
    commit(repository)
    git(repository, "rm", "-rq", ".")
    (repository / "tests").mkdir()
    (repository / "tests" / "test_b.py").write_text("new\n")
    (repository / "test_a.py").write_text("new\n")
    with checked_out(repository, "HEAD") as base:
        bring_tests(repository, base, [])
        assert (base / "tests" / "test_b.py").read_text() == "new\n"
        assert (base / "test_a.py").read_text() == "new\n"


def test_a_test_whose_name_is_not_utf_8_is_brought(repository: Path) -> None:
    git(repository, "config", "core.quotePath", "false")
    commit(repository)
    name = os.fsdecode(b"test_\xe9.py")
    (repository / name).write_text("new\n")
    with checked_out(repository, "HEAD") as base:
        bring_tests(repository, base, [])
        assert (base / name).read_text() == "new\n"


def test_where_a_link_leads_counts_as_what_the_tree_depends_on(repository: Path) -> None:
    (repository / "uv.lock").symlink_to("/dev/zero")
    (repository / "setup.py").symlink_to(__file__)
    commit(repository)
    with checked_out(repository, "HEAD") as base:
        assert same_dependencies(repository, base)
        (base / "setup.py").unlink()
        (base / "setup.py").symlink_to("/etc/passwd")
        assert not same_dependencies(repository, base)


@pytest.fixture
def with_submodule(repository: Path, tmp_path: Path) -> Path:
    """The repository with a submodule ``data``, whose file holds 1, then 2."""
    origin = tmp_path / "origin"
    origin.mkdir()
    git(origin, "init", "--quiet", "--initial-branch", "main")
    (origin / "value").write_text("1")
    commit(origin)
    git(repository, "submodule", "--quiet", "add", str(origin), "data")
    commit(repository)
    (origin / "value").write_text("2")
    commit(origin)
    git(repository / "data", "pull", "--quiet")
    commit(repository)
    return repository


def test_a_submodule_is_there_at_the_commit_of_the_base(with_submodule: Path) -> None:
    with checked_out(with_submodule, "HEAD~1") as base:
        assert (base / "data" / "value").read_text() == "1"
    assert git(with_submodule, "status", "--porcelain") == ""


def test_a_submodule_without_the_commit_of_the_base_is_refused(with_submodule: Path) -> None:
    first = git(with_submodule / "data", "rev-parse", "HEAD~1").strip()
    shutil.rmtree(with_submodule / "data")
    git(with_submodule, "init", "--quiet", "data")
    with (
        pytest.raises(WhqError, match=rf"Fetch it: git -C data fetch origin {first}$"),
        checked_out(with_submodule, "HEAD~1"),
    ):
        pytest.fail("the tree is not whole")
    assert git(with_submodule, "worktree", "list").count("\n") == 1


def test_a_submodule_that_the_head_does_without_is_left_out(with_submodule: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", str(with_submodule), "plain")
    with checked_out(tmp_path / "plain", "HEAD~1") as base:
        assert list((base / "data").iterdir()) == []


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"


def test_a_pointer_of_git_lfs_for_a_file_that_the_head_has_is_refused(repository: Path) -> None:
    git(repository, "config", "filter.lfs.clean", "cat")
    (repository / ".gitattributes").write_text("*.bin filter=lfs\n")
    (repository / "model.bin").write_text(POINTER)
    (repository / "other.bin").write_text(POINTER)
    commit(repository)
    with checked_out(repository, "HEAD") as base:
        assert (base / "model.bin").read_text() == POINTER  # Both sides have it.
    (repository / "model.bin").write_text("the model")
    with (
        pytest.raises(WhqError, match=r"^model\.bin of the base is a pointer of Git LFS, where the working"),
        checked_out(repository, "HEAD"),
    ):
        pytest.fail("the tree is not whole")
    assert git(repository, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_no_signal_leaves_a_worktree(repository: Path, tmp_path: Path, number: signal.Signals) -> None:
    (repository / "test_a.py").write_text("import time\ndef test_a(): open('ran', 'w'); time.sleep(900)\n")
    commit(repository)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with subprocess.Popen(
        [WHQ, "ab", "HEAD", "--", "test_a.py"],
        cwd=repository,
        env={**os.environ, "TMPDIR": str(temporary)},
        stderr=subprocess.PIPE,
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == b"whq: base, a run to warm up, which does not count\n"
        deadline_s = time.monotonic() + PATIENT_S
        while not list(temporary.glob("*/base/ran")):
            assert time.monotonic() < deadline_s
            time.sleep(0.02)
        running.send_signal(number)
        assert running.wait(timeout=PATIENT_S) == 130
    assert git(repository, "worktree", "list").count("\n") == 1
    assert list(temporary.iterdir()) == []


def test_a_signal_that_is_ignored_stays_so(repository: Path) -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        commit(repository)
        with checked_out(repository, "HEAD"):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
