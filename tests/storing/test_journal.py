import os
import re
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from samples import FULL, NOTHING, a_record, a_run

from pytest_whq.errors import RunFileError
from pytest_whq.model import Gap
from pytest_whq.storing import journal as journal_module
from pytest_whq.storing.journal import Journal, LastSession, read_last_session, read_session


def says(message: str) -> AbstractContextManager[object]:
    return pytest.raises(RunFileError, match=f"^{re.escape(message)}$")


def ended(path: Path, why: str) -> str:
    return f"The journal {path} ended ({why}): if this session is killed, its records from there on are lost."


def test_a_session_that_ends_is_read_whole(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path / "d" / "whq", a_run())
    for record in (a_record(), FULL, NOTHING):
        journal.add(record)
    journal.finish()
    assert journal.warning is None
    assert read_last_session(tmp_path / "d" / "whq") == LastSession(a_run(a_record(), FULL, NOTHING), None)


def test_each_record_is_there_as_soon_as_it_is_added(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, a_run())
    assert read_last_session(tmp_path) == LastSession(
        a_run(), "The session did not come to its end: 0 tests had finished."
    )
    journal.add(FULL)
    assert read_last_session(tmp_path) == LastSession(
        a_run(FULL), "The session did not come to its end: 1 test had finished."
    )
    journal.finish()


def test_a_session_that_is_killed_leaves_its_finished_records(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path; from samples import a_record, a_run\n"
        "from pytest_whq.storing.journal import Journal\n"
        "journal = Journal.start(Path(sys.argv[1]), a_run())\n"
        "for n in range(1000): journal.add(a_record(f't{n}')); print(flush=True)"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", program, tmp_path], stdout=subprocess.PIPE, env=environment
    ) as session:
        assert session.stdout is not None
        for _ in range(100):
            session.stdout.readline()
        session.send_signal(signal.SIGKILL)
    last = read_last_session(tmp_path)
    assert last.run.records[:100] == tuple(a_record(f"t{n}") for n in range(100))
    assert last.note == f"The session did not come to its end: {len(last.run.records)} tests had finished."


def test_a_torn_last_line_is_left_out_and_said_so(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, a_run())
    journal.add(a_record("a"))
    journal.add(a_record("b"))
    path = journal.path
    path.write_bytes(path.read_bytes()[:-40])
    assert read_last_session(tmp_path) == LastSession(
        a_run(a_record("a")),
        "The session did not come to its end: 1 test had finished; "
        "a record that was cut off while it was written is left out.",
    )
    journal.finish()


def test_a_session_that_is_broken_off_tells_what_was_interrupted_and_what_is_missing(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, a_run())
    journal.add(a_record("a"))
    journal.add(a_record("b", outcome="interrupted"))
    assert read_last_session(tmp_path).note == (
        "The session did not come to its end: 1 test had finished, 1 was interrupted."
    )
    gaps = (Gap("interrupted_before", "c"), Gap("not_reached", "d"))
    journal.finish(gaps, whole=False)
    assert read_last_session(tmp_path) == LastSession(
        a_run(a_record("a"), a_record("b", outcome="interrupted"), gaps=gaps),
        "The session did not come to its end: 1 test had finished, 2 were interrupted.",
    )


def test_of_a_test_that_ran_again_the_last_record_counts(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, a_run())
    for record in (a_record("a", outcome="failed"), a_record("b"), a_record("a")):
        journal.add(record)
    journal.finish()
    assert read_last_session(tmp_path).run.records == (a_record("a"), a_record("b"))


def test_a_new_session_takes_the_place_of_those_that_ended(tmp_path: Path) -> None:
    for _ in range(2):
        journal = Journal.start(tmp_path, a_run())
        journal.add(a_record("before"))
        journal.finish()
    second = Journal.start(tmp_path, a_run())
    second.add(a_record("second"))
    second.finish()
    assert read_last_session(tmp_path) == LastSession(a_run(a_record("second")), None)
    assert list(tmp_path.iterdir()) == [second.path]


def test_sessions_at_the_same_time_have_a_journal_each(tmp_path: Path) -> None:
    first = Journal.start(tmp_path, a_run())
    second = Journal.start(tmp_path, a_run())
    second.add(a_record("second"))
    first.add(a_record("first"))
    second.finish()
    os.utime(first.path, (1, 1))  # The second was the last to write.
    assert read_last_session(tmp_path) == LastSession(a_run(a_record("second")), None, (first.path,))
    assert read_session(first.path).run == a_run(a_record("first"))
    first.finish()


def test_nothing_is_cleared_away_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("precious")
    folder = tmp_path / "journals"
    folder.mkdir()
    (folder / "session-link.jsonl").symlink_to(outside)
    os.mkfifo(folder / "session-fifo.jsonl")
    Journal.start(folder, a_run()).finish()
    assert outside.read_text() == "precious"
    assert (folder / "session-link.jsonl").is_symlink()


def test_a_folder_that_cannot_be_written_is_one_warning(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    journal = Journal.start(tmp_path / "file" / "whq", a_run())
    journal.add(FULL)
    journal.finish()
    assert journal.warning == ended(journal.path, "Not a directory")


def test_a_journal_that_cannot_start_keeps_the_last_session(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = Journal.start(tmp_path, a_run())
    before.add(FULL)
    before.finish()

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", no_space)
        journal = Journal.start(tmp_path, a_run())
    journal.add(NOTHING)
    assert journal.warning == ended(journal.path, "No space left on device")
    assert read_last_session(tmp_path) == LastSession(a_run(FULL), None)
    assert list(tmp_path.iterdir()) == [before.path]


def test_a_full_disk_ends_the_journal_and_keeps_what_was_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.start(tmp_path, a_run())
    journal.add(a_record("a"))
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda descriptor, line: write(descriptor, line[:100]))
        journal.add(a_record("b"))
    journal.add(a_record("c"))
    journal.finish()
    assert journal.warning == ended(journal.path, "No space left on device")
    assert read_last_session(tmp_path) == LastSession(
        a_run(a_record("a")),
        "The session did not come to its end: 1 test had finished; "
        "a record that was cut off while it was written is left out.",
    )


def test_a_journal_is_never_longer_than_what_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "MAX_BYTES", 3 * 2**20)
    journal = Journal.start(tmp_path, a_run())
    while journal.warning is None:
        journal.add(a_record("x" * 2**20))
    assert journal.warning == ended(journal.path, "3 MiB are full")
    assert journal.path.stat().st_size < 3 * 2**20


def test_a_record_that_cannot_be_written_ends_the_journal(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, a_run())
    journal.add(a_record(energy_j=float("inf")))
    assert journal.warning is not None
    assert journal.warning.startswith(f"The journal {journal.path} ended (Out of range float")


def test_a_folder_without_a_session_is_named(tmp_path: Path) -> None:
    with says(
        f"{tmp_path} holds no session. Run pytest here on tests with the whq fixture, or name a run file."
    ):
        read_last_session(tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", " is not a journal of pytest-whq. Run pytest again."),
        ("{}\n", " is not a journal of pytest-whq. Run pytest again."),
        ("3\n", " is not a journal of pytest-whq. Run pytest again."),
        (
            '{"format": 9}\n',
            (
                " is run format 9; this version of pytest-whq reads 1. "
                "Record the run again, or read it with the version that wrote it."
            ),
        ),
    ],
)
def test_a_file_that_is_not_a_journal_is_refused(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "session-1.jsonl"
    path.write_text(text)
    with says(f"{path}{message}"):
        read_last_session(tmp_path)


def test_a_line_that_is_wrong_is_named(tmp_path: Path) -> None:
    journal = Journal.start(tmp_path, a_run())
    journal.add(a_record())
    journal.finish()
    path = journal.path
    path.write_text(path.read_text().replace('"queries": 20', '"queries": -20'))
    with says(f"{path}, line 2: queries is -20, but must be a whole number from 0 up. Record the run again."):
        read_last_session(tmp_path)
