"""What calibrations have shown, kept for sessions to come: read strictly, and never in a session's way."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from samples import H200

from pytest_whq.errors import RunFileError
from pytest_whq.model import CalibratedBoard
from pytest_whq.storing.known_boards import boards_path, keep_boards, known_boards, read_boards

KNOWN = CalibratedBoard("GPU-1", "580.95.05", 700.0, "2026-11-26T03:00:00Z", "whole", (0.0, 0.005))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache, and the file in it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "pytest-whq" / "boards.json"


def test_what_is_kept_is_known_of_that_board_driver_and_power_limit_only(cache: Path) -> None:
    lags = replace(KNOWN, id="GPU-2", counter="lags", settling_s=None)
    assert keep_boards([KNOWN, lags]) == cache
    assert read_boards(cache) == (KNOWN, lags)
    assert known_boards("580.95.05", [H200]) == [KNOWN]
    assert known_boards("590.1", [H200]) == []
    assert known_boards("580.95.05", [replace(H200, power_limit_w=500.0)]) == []


def test_a_board_that_is_calibrated_again_is_kept_once_and_others_stay(cache: Path) -> None:
    other = replace(KNOWN, driver="590.1")
    keep_boards([KNOWN, other])
    again = replace(KNOWN, calibrated="2026-12-01T00:00:00Z", settling_s=(0.02, 0.03))
    keep_boards([again])
    assert read_boards(cache) == (again, other)


def test_where_nothing_was_kept_nothing_is_known(cache: Path) -> None:
    assert known_boards("580.95.05", [H200]) == []
    assert not cache.parent.exists()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("{", "is not whole JSON"),
        ("[]", "must be an object"),
        ('{"format": 2, "tool": "x", "boards": []}', "format is 2, but this version reads 1"),
        ('{"format": 1, "tool": "x", "boards": [{}]}', r"boards\[0\].* is missing"),
        ('{"format": 1, "tool": "x", "boards": [], "more": 1}', "more is not a field of this format"),
    ],
)
def test_a_file_that_cannot_be_read_is_as_none_and_is_written_anew(
    cache: Path, written: str, said: str
) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text(written, "utf-8")
    with pytest.raises(RunFileError, match=f"{re.escape(str(cache))}.*{said}.*whq devices --calibrate"):
        read_boards(cache)
    assert known_boards("580.95.05", [H200]) == []
    keep_boards([KNOWN])
    assert read_boards(cache) == (KNOWN,)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("settling_s", [0.005, 0.0]),
        ("settling_s", [-0.1, 0.0]),
        ("settling_s", ["0", "1"]),
        ("counter", "half"),
        ("calibrated", "yesterday"),
        ("id", None),
    ],
)
def test_a_field_that_cannot_be_is_refused_by_its_name(cache: Path, field: str, value: Any) -> None:
    keep_boards([replace(KNOWN, **{field: value})])
    with pytest.raises(RunFileError, match=rf"boards\[0\]\.{field}"):
        read_boards(cache)


def test_no_more_boards_are_kept_than_are_of_use(cache: Path) -> None:
    for first in (0, 150):
        keep_boards([replace(KNOWN, id=f"GPU-{first + n}") for n in range(150)])
    kept = [board.id for board in read_boards(cache)]
    assert (len(kept), kept[0]) == (200, "GPU-150")


def test_they_are_in_the_home_of_a_user_who_names_no_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for given in ("", "relative"):
        monkeypatch.setenv("XDG_CACHE_HOME", given)
        assert boards_path() == tmp_path / ".cache" / "pytest-whq" / "boards.json"


def test_a_user_without_a_home_keeps_and_knows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def homeless() -> Path:
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "home", homeless)
    monkeypatch.delenv("XDG_CACHE_HOME")
    with pytest.raises(RunFileError, match=r"no home .* Set XDG_CACHE_HOME"):
        keep_boards([KNOWN])
    assert known_boards("580.95.05", [H200]) == []
