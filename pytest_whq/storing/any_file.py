"""Files of results of whatever kind: run files, journals, baselines, and those of a history."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pytest_whq.errors import RunFileError
from pytest_whq.model import Run
from pytest_whq.model.baseline import Baseline
from pytest_whq.model.baseline_runs import runs_in
from pytest_whq.model.history import KeptRun, kept_of
from pytest_whq.storing import journal
from pytest_whq.storing.baseline_file import baseline_from_dict
from pytest_whq.storing.files import parse_json, read_bytes, without_collection
from pytest_whq.storing.history_file import RESTORE, history_from_dict
from pytest_whq.storing.runfile import run_from_dict


def read_runs(path: Path) -> list[Run]:
    """The run at ``path``, or those of which a baseline there was made, the earliest first.

    RunFileError names the file, the field and what to do.
    """
    with without_collection():
        document = parse_json(read_bytes(path), str(path))
        if _is_baseline(document):
            return _of_baseline(document, path)
        if _is_of_history(document):
            raise RunFileError(f"{path} is of a history, which keeps figures only. Show it with whq history.")
        return [run_from_dict(document, str(path))]


def read_baseline_at(path: Path) -> Baseline | None:
    """The baseline at ``path``, None where another file is there; RunFileError as above."""
    if path.suffix == journal.SUFFIX:
        return None
    document = parse_json(read_bytes(path), str(path))
    return baseline_from_dict(document, str(path)) if _is_baseline(document) else None


def read_history_of(paths: list[Path]) -> tuple[list[KeptRun], list[RunFileError]]:
    """The runs at ``paths``, of folders those in all files that end in ``.json``, and why others are none."""
    runs: list[KeptRun] = []
    problems: list[RunFileError] = []
    with without_collection():
        for path in paths:
            for file in _files_of(path):
                try:
                    runs += _kept(file)
                except RunFileError as problem:
                    problems.append(problem)
    return runs, problems


def _files_of(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    try:
        yield from sorted(path.glob("*.json"))
    except OSError as error:
        raise RunFileError(f"{path} cannot be read ({error.strerror}). Check the path.") from error


def _kept(path: Path) -> list[KeptRun]:
    if path.suffix == journal.SUFFIX:
        return [kept_of(journal.read_session(path).run)]
    document = parse_json(read_bytes(path), str(path), RESTORE)
    if _is_of_history(document):
        return [history_from_dict(document, str(path))]
    if _is_baseline(document):
        return [kept_of(run) for run in _of_baseline(document, path)]
    return [kept_of(run_from_dict(document, str(path)))]


def _of_baseline(document: Any, path: Path) -> list[Run]:
    runs = runs_in(baseline_from_dict(document, str(path)))
    if not runs:
        raise RunFileError(f"{path} is a baseline of no runs. Accept one with whq accept.")
    return runs


def _is_baseline(document: Any) -> bool:
    return isinstance(document, dict) and "runs" in document


def _is_of_history(document: Any) -> bool:
    return isinstance(document, dict) and "rows" in document
