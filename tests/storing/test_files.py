import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from samples import EXAMPLE, FULL, a_run

from pytest_whq.errors import RunFileError, SettingError, WhqError
from pytest_whq.storing.baseline_file import read_baseline
from pytest_whq.storing.files import MAX_BYTES, read_settings, refuse_many_values, write_text
from pytest_whq.storing.journal import read_last_session
from pytest_whq.storing.runfile import read_run, run_as_json


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(RunFileError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    "data",
    [
        b"",
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


@pytest.mark.parametrize("data", [b"junk", b"[pytest]\nwhq_source = nvml\n", b"[[budgets]]\nwh_total = 1\n"])
def test_a_file_of_another_kind_was_never_a_run(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(data)
    with says(f"{path} holds no JSON, as files of results do. Check the path."):
        read_run(path)


@pytest.mark.parametrize("piece", [b"{},", b"[],", b"1,", b'{"a":{}},'])
def test_a_file_of_more_values_than_results_have_is_refused_before_it_takes_memory(
    tmp_path: Path, piece: bytes
) -> None:
    path = tmp_path / "run.json"
    path.write_bytes(b"[" + piece * (2**20 * 8 // len(piece)) + b"0]")
    tracemalloc.start()
    with pytest.raises(
        RunFileError, match=r"has some \d+ values, more than a file of results\. Check the path\.$"
    ):
        read_run(path)
    assert tracemalloc.get_traced_memory()[1] < 12 * 2**20
    tracemalloc.stop()


def test_the_largest_run_has_fewer_values_than_are_refused() -> None:
    line = run_as_json(a_run(FULL)).encode()
    refuse_many_values(line * (MAX_BYTES // len(line)), "run.json")


def test_a_journal_of_more_values_than_results_have_is_refused(tmp_path: Path) -> None:
    (tmp_path / "session-1.jsonl").write_bytes(b"{}\n" * 2**20)
    with pytest.raises(RunFileError, match=r"values, more than a file of results\. Check the path\.$"):
        read_last_session(tmp_path)


@pytest.mark.parametrize("special", ["/dev/zero", "/dev/tty", "fifo", "socket"])
@pytest.mark.parametrize("read", [read_run, read_baseline, lambda path: read_settings(path, str(path))])
def test_what_is_no_file_is_neither_read_nor_waited_for(
    tmp_path: Path, special: str, read: Callable[[Path], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("fifo")
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket")
        with pytest.raises(WhqError, match=r" cannot be read \("):
            read(Path(special))


def test_settings_are_read_up_to_a_mebibyte(tmp_path: Path) -> None:
    path = tmp_path / "whq.toml"
    path.write_text("#" * 2**20)
    assert read_settings(path, "whq.toml") == "#" * 2**20
    path.write_text("#" * (2**20 + 1))
    with pytest.raises(
        SettingError, match=r"^whq\.toml is longer than 1 MiB, the most that is read of settings"
    ):
        read_settings(path, "whq.toml")


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


def test_links_that_lead_in_a_circle_are_said(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(RunFileError, match=r"/a cannot be written \(Too many levels of symbolic links\)"):
        write_text(tmp_path / "a", "new")


NOBODY, SOMEBODY, ROOT = 65534, 65533, 0


@pytest.fixture
def folder_of_all() -> Iterator[Path]:
    """A folder that every user may look into, as those of pytest are not."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as several users")
@pytest.mark.parametrize(
    ("writer", "layer", "follows"),
    [
        (ROOT, NOBODY, False),
        (NOBODY, SOMEBODY, False),
        (NOBODY, NOBODY, True),
        (NOBODY, ROOT, True),
        (ROOT, ROOT, True),
    ],
)
def test_nothing_is_written_through_a_link_of_another_user(
    folder_of_all: Path, writer: int, layer: int, follows: bool
) -> None:
    private, common = folder_of_all / "private", folder_of_all / "common"
    for folder in (private, common):
        folder.mkdir()
        folder.chmod(0o1777)
    target, link = private / "target", common / "run.json"
    target.write_text("precious")
    target.chmod(0o640)
    os.chown(target, writer, -1)
    link.symlink_to(target)
    os.lchown(link, layer, -1)
    os.seteuid(writer)
    try:
        if follows:
            write_text(link, "new")
        else:
            with pytest.raises(
                RunFileError, match=r"run\.json cannot be written \(it is a link that another"
            ):
                write_text(link, "new")
    finally:
        os.seteuid(ROOT)
    assert target.read_text() == ("new" if follows else "precious")
    assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert link.is_symlink()
    assert [path.name for path in common.iterdir()] == ["run.json"]
