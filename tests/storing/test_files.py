import os
import re
import signal
import stat
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from samples import EXAMPLE

from pytest_whq.errors import RunFileError
from pytest_whq.storing.files import write_text
from pytest_whq.storing.runfile import read_run


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(RunFileError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"junk",
        b"\xff\xfe\x00",
        b"[" * 200_000,
        b"9" * 5000,
        *(EXAMPLE[:n].encode() for n in range(9, len(EXAMPLE) - 3, 97)),
    ],
)
def test_what_is_not_whole_json_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(data)
    with pytest.raises(RunFileError) as error:
        read_run(path)
    assert re.fullmatch(
        rf"{re.escape(str(path))} is not whole JSON \(.*\)\. Record the run again\.", str(error.value)
    )
    assert path.read_bytes() == data


def test_a_field_that_stands_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    path.write_text(EXAMPLE.replace('"queries": 20,', '"queries": 20, "queries": 2000,'))
    with says(f"{path} has the field 'queries' twice in one object. Record the run again."):
        read_run(path)


def test_a_file_that_is_too_long_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    with path.open("wb") as file:
        file.truncate(100 * 2**30)
    with says(
        f"{path} is longer than 64 MiB, the most that is read. "
        "Check the path, or record fewer tests in one run."
    ):
        read_run(path)


def test_an_endless_device_is_refused() -> None:
    with pytest.raises(RunFileError, match="/dev/zero is longer than 64 MiB"):
        read_run("/dev/zero")


def test_a_path_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with says(f"{tmp_path}/nope.json cannot be read (No such file or directory). Check the path."):
        read_run(tmp_path / "nope.json")
    with says(f"{tmp_path} cannot be read (Is a directory). Check the path."):
        read_run(tmp_path)


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, failing, no_space)
    with says(
        f"{path} cannot be written (No space left on device). "
        "Give the path of a file in a folder that is there and that you may write to."
    ):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["run.json"]


def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.json"
    path.write_text("old")

    def interrupted(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["run.json"]


def test_a_writer_that_is_killed_leaves_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "run.json"
    program = (
        "import sys; from samples import a_record, a_run; from pytest_whq.storing.runfile import write_run\n"
        "run = a_run(*(a_record(f't{n}') for n in range(300)))\n"
        "while True: write_run(run, sys.argv[1]); print(flush=True)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    for lines in (1, 2, 3):
        with subprocess.Popen(
            [sys.executable, "-c", program, path], stdout=subprocess.PIPE, env=environment
        ) as writer:
            assert writer.stdout is not None
            for _ in range(lines):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        assert len(read_run(path).records) == 300


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "reports" / "run.json"
    with says(
        f"{path} cannot be written (No such file or directory). "
        "Give the path of a file in a folder that is there and that you may write to."
    ):
        write_text(path, "new")


def test_nothing_is_written_over_a_folder_or_a_device(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/null")):
        with says(
            f"{path} cannot be written (not a regular file). "
            "Give the path of a file in a folder that is there and that you may write to."
        ):
            write_text(path, "new")


def test_a_new_file_has_the_permissions_of_the_umask_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    new, old = tmp_path / "new.json", tmp_path / "old.json"
    old.touch()
    old.chmod(0o640)
    before = os.umask(0o022)
    try:
        write_text(new, "new")
        write_text(old, "new")
    finally:
        os.umask(before)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (new, old)] == [0o644, 0o640]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "latest.json").symlink_to("run.json")
    write_text(tmp_path / "latest.json", "new")
    assert os.readlink(tmp_path / "latest.json") == "run.json"
    assert (tmp_path / "run.json").read_text() == "new"
