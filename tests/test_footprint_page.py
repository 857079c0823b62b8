"""docs/footprint.md holds: its run is read, and its commands print what it shows."""

import os
import shlex
from pathlib import Path

import pytest
from readme_project import ROOT, blocks, commands

from pytest_whq.cli import main
from pytest_whq.footprint.tables import grids
from pytest_whq.rendering.sheets import SHEETS

PATH = ROOT / "docs/footprint.md"
PAGE = PATH.read_text("utf-8")


def run(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What a ``whq`` command prints; its output goes to a file where the command says so."""
    command, _, file = command.partition(" > ")
    assert main(shlex.split(command)[1:]) in (0, 1)
    shown = capsys.readouterr().out
    if not file:
        return shown.rstrip("\n")
    Path(file).write_text(shown, "utf-8")
    return ""


def test_its_commands_print_what_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (stored,) = blocks("json", PAGE)
    Path("run.json").write_text(stored, "utf-8")
    page = PAGE
    for command, shown in commands(PAGE).items():
        output = run(command, capsys)
        if os.environ.get("WHQ_GOLDEN") == "write":
            before = f"$ {command}\n{shown}\n" if shown else f"$ {command}\n"
            page = page.replace(before, f"$ {command}\n{output}\n" if output else before)
            PATH.write_text(page, "utf-8")
        else:
            assert output == shown, f"see git diff after WHQ_GOLDEN=write: {PATH}"
    assert len(commands(PAGE)) == 6


def test_it_knows_how_many_countries_and_which_formats_there_are() -> None:
    countries = {grid for grid in grids().values() if grid.name == grid.country}
    assert f": {len(countries)} of them, " in PAGE
    assert [f"| `{name}` |" in PAGE for name in SHEETS] == [True] * len(SHEETS)
