"""The journal of a session: finished records, on disk before the next test starts.

One JSON line for the session, one for each record, one for the end, which says whether the session was
whole. A session that is killed leaves all its finished records. Each session has a file of its own, which
it holds a lock on for as long as it runs; the next session that measures something clears away those that
nobody holds.
"""

import errno
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_whq.errors import RunFileError
from pytest_whq.model import Gap, Record, Run
from pytest_whq.storing.files import BINARY, MAX_BYTES, parse_json, read_bytes, refuse_many_values
from pytest_whq.storing.locks import HAS_LOCKS, lock
from pytest_whq.storing.plain_data import json_of, plain
from pytest_whq.storing.records import record_as_dict, record_from_dict
from pytest_whq.storing.runfile import head_as_dict, run_from_dict

SUFFIX = ".jsonl"
"""By it a journal is told from a run file."""

_JOURNALS = f"session-*{SUFFIX}"


class Journal:
    """Where a session's records are kept as they are made.

    None of its methods raises: the first thing that goes wrong ends the journal and stands in
    ``warning``, one sentence for the session's summary.
    """

    def __init__(self, path: Path) -> None:
        self.warning: str | None = None
        self.path = path
        self._descriptor: int | None = None
        self._size = 0

    @classmethod
    def start(cls, folder: Path, session: Run) -> "Journal":
        """A new journal in ``folder``, in place of those that ended; ``session`` has no records yet."""
        journal = cls(folder / _JOURNALS.replace("*", secrets.token_hex(4)))
        # The head is written, and the lock held, before the file gets its name: who finds it finds it whole.
        # Without locks there is nothing to wait for, and Windows renames no open file.
        temporary = folder / f".{journal.path.name}.tmp" if HAS_LOCKS else journal.path
        try:
            folder.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | BINARY
            journal._descriptor = os.open(temporary, flags, 0o666)
            journal._write(head_as_dict(session))
            with suppress(OSError):  # A file system without locks: nobody will clear this one away.
                lock(journal._descriptor, wait=False)
            if HAS_LOCKS:
                os.replace(temporary, journal.path)
            _clear_away(set(folder.glob(_JOURNALS)) - {journal.path})
        except (OSError, ValueError) as error:
            with suppress(OSError):
                temporary.unlink()
            journal._give_up(error)
        return journal

    def add(self, record: Record) -> None:
        """Keep ``record``; of several records of one test the last counts."""
        self._append(record_as_dict(record))

    def finish(self, gaps: Sequence[Gap] = (), *, whole: bool = True) -> None:
        """Mark the session as ended, with what is missing of it, and close the file.

        It is ``whole`` unless it was broken off before its last test.
        """
        self._append({"end": whole, **({"gaps": plain(tuple(gaps))} if gaps else {})})
        self._close()

    def _append(self, data: Mapping[str, Any]) -> None:
        try:
            self._write(data)
        except (OSError, ValueError) as error:
            self._give_up(error)

    def _write(self, data: Mapping[str, Any]) -> None:
        if self._descriptor is None:
            return
        line = f"{json_of(data)}\n".encode()
        self._size += len(line)
        if self._size > MAX_BYTES:
            raise OSError(errno.EFBIG, f"{MAX_BYTES // 2**20} MiB are full")
        # One write for a line: a kill leaves it whole or, at worst, as the torn last one.
        if os.write(self._descriptor, line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _give_up(self, error: OSError | ValueError) -> None:
        why = error.strerror if isinstance(error, OSError) else error
        self.warning = (
            f"The journal {self.path} ended ({why}): if this session is killed, "
            "its records from there on are lost."
        )
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.close(self._descriptor)
            self._descriptor = None


def _clear_away(paths: Iterable[Path]) -> None:
    """Remove the journals whose sessions have ended, however they did."""
    for path in paths:
        with suppress(OSError):
            if not HAS_LOCKS:
                _remove_if_closed(path)
                continue
            descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                lock(descriptor, wait=False)
                path.unlink()
            finally:
                os.close(descriptor)


def _remove_if_closed(path: Path) -> None:
    # Windows alone refuses to remove what a session has open.
    if os.name == "nt":
        path.unlink()


@dataclass(frozen=True, slots=True)
class LastSession:
    """What a session measured; ``note`` says so where it did not come to its end.

    ``others`` are the journals of sessions that ran in the same folder at the same time.
    """

    run: Run
    note: str | None
    others: tuple[Path, ...] = ()


def read_last_session(folder: Path) -> LastSession:
    """The session that was last to write in ``folder``; RunFileError where there is none."""
    paths = sorted(folder.glob(_JOURNALS), key=_written_ns)
    if not paths:
        raise RunFileError(
            f"{folder} holds no session. Run pytest here on tests with the whq fixture, or name a run file."
        )
    *others, last = paths
    return replace(read_session(last), others=tuple(others))


def _written_ns(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:  # Cleared away since it was listed.
        return 0


def read_session(path: Path) -> LastSession:
    """The session whose journal is at ``path``; RunFileError where it cannot be read."""
    # A line is whole when its end is there, so what follows the last end is torn or empty.
    data = read_bytes(path)
    refuse_many_values(data, str(path))
    *lines, torn = data.split(b"\n")
    documents = [parse_json(line, f"{path}, line {n}") for n, line in enumerate(lines, start=1)]
    if not documents or not isinstance(documents[0], dict) or "format" not in documents[0]:
        raise RunFileError(f"{path} is not a journal of pytest-whq. Run pytest again.")
    last = documents[-1]
    ended = isinstance(last, dict) and "end" in last
    missing = {"gaps": last["gaps"]} if ended and "gaps" in last else {}
    session = run_from_dict({**documents[0], **missing, "records": []}, str(path))
    kept = documents[1:-1] if ended else documents[1:]
    records = [record_from_dict(data, f"{path}, line {n}") for n, data in enumerate(kept, start=2)]
    latest = {record.test: record for record in records}
    run = replace(session, records=tuple(latest.values()))
    return LastSession(run, None if ended and last["end"] else _note(run, bool(torn)))


def _note(run: Run, torn: bool) -> str:
    finished = sum(not record.interrupted for record in run.records)
    tests = "1 test" if finished == 1 else f"{finished} tests"
    cut_short = run.tests_interrupted
    others = f", {cut_short} {'was' if cut_short == 1 else 'were'} interrupted" if cut_short else ""
    cut = "; a record that was cut off while it was written is left out" if torn else ""
    return f"The session did not come to its end: {tests} had finished{others}{cut}."
