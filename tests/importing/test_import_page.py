"""The page on importing holds: its example is executed, its table names every kind."""

import re
from pathlib import Path

import pytest
from readme_project import ROOT, blocks

from pytest_whq.cli import main
from pytest_whq.importing.figures.all_in_power import table_in
from pytest_whq.importing.kinds import names
from pytest_whq.rendering.workloads import FORMATS
from pytest_whq.storing.runfile import read_run

PAGE = (ROOT / "docs/import.md").read_text("utf-8")


def shown(command: str) -> str:
    """The output that the page shows for ``command``."""
    (block,) = [block for block in blocks("console", PAGE) if block.startswith(f"$ {command}\n")]
    return block.partition("\n")[2]


def test_the_example_gives_the_table_and_the_doubts_that_it_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("agg.json").write_text(blocks("json", PAGE)[0])
    command = "import inferencemax agg.json -o run.json"
    assert main(command.split()) == 0
    assert capsys.readouterr().out == shown(f"whq {command}")
    doubts = read_run("run.json").records[0].measurement.imported.doubts  # type: ignore[union-attr]
    assert len(doubts) == 5
    assert all(doubt in shown(f"whq {command}") for doubt in doubts)


def test_every_kind_and_form_is_there() -> None:
    kinds = re.findall(r"^\| ((?:`[a-z-]+`(?:, )?)+) \| ", PAGE.split("## One example")[0], re.MULTILINE)
    assert re.findall(r"`([a-z-]+)`", " ".join(kinds)) == [*names(), "power"]
    forms = next(line for line in PAGE.splitlines() if line.startswith("| `--format"))
    assert re.findall(r"`(\w+)`", forms) == list(FORMATS)


def test_its_table_of_power_is_one_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "table.toml"
    path.write_text(blocks("toml", PAGE)[0])
    assert table_in(path).sets[0].watts == {"H100": 1730.0, "GB200": 2100.0}
