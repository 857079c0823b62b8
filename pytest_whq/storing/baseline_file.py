"""A `Baseline` as a JSON file for version control: its runs as blocks, a line for each test."""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import fields
from pathlib import Path
from typing import Any

from pytest_whq.errors import RunFileError
from pytest_whq.model import Run
from pytest_whq.model.baseline import (
    COMPARED,
    Acceptance,
    Accepted,
    AcceptedRun,
    Baseline,
    accept,
    moment_key,
)
from pytest_whq.model.baseline_runs import runs_of
from pytest_whq.storing.fields import (
    LARGEST_COUNT,
    FieldError,
    Reader,
    above_zero,
    count,
    interval,
    list_of,
    mapping_of,
    object_of,
    shown,
    taking,
    text,
)
from pytest_whq.storing.files import parse_json, read_bytes, without_collection, write_text
from pytest_whq.storing.hints import readers_of
from pytest_whq.storing.locks import HAS_LOCKS, lock
from pytest_whq.storing.plain_data import json_of, plain
from pytest_whq.storing.records import check_format, read_with
from pytest_whq.storing.stamp import moment

BASELINE_FORMAT = 1  # 1: first

FILE_NAME = "whq-baseline.json"

# A nanojoule is below every sensor, and above it ratios stay finite.
_LEAST_J = 1e-9

_RESTORE = "Restore it from version control, or delete it and accept runs anew."


def read_baseline(path: Path | str) -> Baseline:
    """The baseline stored at ``path``; RunFileError names the file, the field and what to do."""
    data = read_bytes(Path(path))
    with without_collection():
        return baseline_from_dict(parse_json(data, str(path), _RESTORE), str(path))


def update_baseline(path: Path, runs: Sequence[Run]) -> Acceptance:
    """Accept ``runs`` into the baseline at ``path``, which is made where it is missing.

    Processes of one machine that do so at the same time take turns, so that nothing is lost; on Windows, and
    on file systems without locks for folders (some network ones), they do not wait, and the last one wins.
    RunFileError where the file cannot be read or written; then it is as it was.
    """
    with _turn(path):
        baseline = read_baseline(path) if path.exists() else Baseline({})
        accepted: dict[str, None] = {}
        left_out: dict[str, str] = {}
        for run in runs:
            done = accept(baseline, run)
            baseline = done.baseline
            accepted |= dict.fromkeys(done.accepted)
            left_out |= done.left_out
        if accepted:
            write_text(path, baseline_as_json(baseline))
    return Acceptance(baseline, tuple(accepted), left_out)


@contextmanager
def _turn(path: Path) -> Iterator[None]:
    """Hold the lock of the file's folder: one on the file itself would go when it is replaced."""
    folder = Path(os.path.realpath(path)).parent
    if not HAS_LOCKS:
        yield
        return
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise RunFileError(f"{path} cannot be written ({error.strerror}). Check the path.") from error
    try:
        # Not every file system has locks for folders: see update_baseline.
        with suppress(OSError):
            lock(descriptor, wait=True)
        yield
    finally:
        os.close(descriptor)


def baseline_as_json(baseline: Baseline) -> str:
    """``baseline`` as the text of its file, the same for the same content."""
    blocks = []
    for run, entries in runs_of(baseline):
        head = ",\n".join(
            f'   "{field.name}": {json_of(plain(getattr(run, field.name)))}' for field in fields(run)
        )
        lines = ",\n".join(f"    {json_of(_entry_as_dict(entry))}" for entry in entries)
        blocks.append(f'  {{\n{head},\n   "records": [\n{lines}\n   ]\n  }}')
    return f'{{\n "format": {BASELINE_FORMAT},\n "runs": [\n' + ",\n".join(blocks) + "\n ]\n}\n"


def _entry_as_dict(entry: Accepted) -> dict[str, Any]:
    return {name: plain(getattr(entry, name)) for name in _ENTRY_FIELDS}


def baseline_from_dict(data: Any, where: str) -> Baseline:
    """The baseline in ``data``, the whole of its file; a RunFileError begins with ``where``."""
    if not isinstance(data, dict) or "format" not in data or "runs" not in data:
        raise RunFileError(
            f"{where} is not a baseline of pytest-whq. "
            "Give one that pytest --whq-update-baseline or whq accept wrote."
        )
    check_format(data["format"], BASELINE_FORMAT, where, "baseline", "Accept runs into a new one")
    runs: list[list[Accepted]] = read_with(read_document, data, where, _RESTORE)["runs"]
    tests: dict[str, list[Accepted]] = {}
    for entries in sorted(runs, key=lambda entries: moment_key(entries[0].run)):
        for entry in entries:
            tests.setdefault(entry.test, []).append(entry)
    return Baseline({test: tuple(entries) for test, entries in tests.items()})


@taking(**text.schema)
def _name(value: Any) -> str:
    # The ten runs of a test share one string.
    return sys.intern(text(value))


@taking(type="integer", minimum=1, maximum=LARGEST_COUNT)
def _queries(value: Any) -> int:
    if (queries := count(value)) == 0:
        raise FieldError("is 0, but must be above 0")
    return queries


_ENTRY_FIELDS = tuple(field.name for field in fields(Accepted) if field.name != "run")
_RUN_FIELDS = tuple(field.name for field in fields(AcceptedRun))
_entry_readers = readers_of(
    Accepted,
    {
        "run": object_of({}),
        "test": _name,
        "queries": _queries,
        "energy_j": above_zero(_LEAST_J),
        "interval95": mapping_of(interval, COMPARED),
    },
)
_entries = list_of(object_of({name: _entry_readers[name] for name in _ENTRY_FIELDS}))
_read_run = object_of({**readers_of(AcceptedRun, {"created": moment}), "records": _entries})


def _run(data: Any) -> list[Accepted]:
    found = _read_run(data)
    run = AcceptedRun(**{name: found[name] for name in _RUN_FIELDS})
    entries = [Accepted(run=run, **fields) for fields in found["records"]]
    if not entries:
        raise FieldError("is empty: a run without records is not kept", "records")
    if len({entry.test for entry in entries}) < len(entries):
        tests = [entry.test for entry in entries]
        index = next(n for n, test in enumerate(tests) if test in tests[:n])
        raise FieldError(f"is {shown(tests[index])}, which another record has", f"records[{index}].test")
    return entries


read_document = object_of({"format": count, "runs": list_of(Reader(_run, _read_run.schema))})
"""A reader of a whole baseline."""
