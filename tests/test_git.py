"""git asked and told, where names are not text and where git does not answer."""

import os
import subprocess
from pathlib import Path

import pytest

from pytest_whq import git as git_module
from pytest_whq.errors import WhqError
from pytest_whq.git import current_commit, git


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "repository"
    folder.mkdir()
    for arguments in (
        ("init", "-q", "-b", "main"),
        ("config", "user.name", "t"),
        ("config", "user.email", "t@t"),
        ("commit", "-q", "--allow-empty", "-m", "first"),
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


def a_git(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let this shell script be what runs as ``git``."""
    folder.mkdir()
    (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.parametrize("quote", ["true", "false"])
def test_names_that_are_not_utf_8_are_kept(repository: Path, quote: str) -> None:
    subprocess.run(["git", "config", "core.quotePath", quote], cwd=repository, check=True)
    subprocess.run(["git", "checkout", "-q", "-b", b"caf\xe9"], cwd=repository, check=True)
    Path(os.fsdecode(bytes(repository) + b"/t\xe9st")).touch()
    subprocess.run(["git", "add", "."], cwd=repository, check=True)
    commit = current_commit(repository)
    assert commit is not None
    assert (commit.branch, commit.dirty) == ("caf\udce9", True)
    assert git(repository, "ls-files", "-z") == "t\udce9st\0"


def test_a_git_that_hangs_is_not_waited_for(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_module, "_ANSWER_S", 0.2)
    # The child of the shell holds its output, as a file system monitor may.
    a_git(tmp_path / "bin", "sleep 60", monkeypatch)
    assert current_commit(repository) is None
    with pytest.raises(WhqError, match=r"^git status has not answered in 0 s: see what holds it\.$"):
        git(repository, "status")


def test_a_commit_of_which_git_tells_only_part_is_unknown(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_git(tmp_path / "bin", 'case "$*" in *status*) exit 3;; *) echo 1a2b3c;; esac', monkeypatch)
    assert current_commit(repository) is None


def test_a_git_that_is_missing_is_said(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert current_commit(repository) is None
    with pytest.raises(WhqError, match=r"^git cannot be run \(No such file or directory\): install it, or"):
        git(repository, "status")


def test_nothing_waits_for_a_password(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_git(tmp_path / "bin", 'echo "$GIT_TERMINAL_PROMPT"; cat', monkeypatch)
    assert git(repository, "fetch") == "0\n"
