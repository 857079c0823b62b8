from pathlib import Path

import pytest
from samples import a_record, a_run

from pytest_whq.storing.baseline_file import update_baseline
from pytest_whq.storing.overwriting import ANOTHER, why_kept
from pytest_whq.storing.runfile import write_run

A_RUN = "it holds a run, and this would be another report"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a run, a baseline, a test and a report of before."""
    write_run(a_run(a_record()), tmp_path / "run.json")
    update_baseline(tmp_path / "base.json", [a_run(a_record())])
    (tmp_path / "test_it.py").write_text("def test(): pass\n")
    (tmp_path / "whq.toml").write_text("[[budgets]]\n")
    (tmp_path / "report.html").write_text("<!doctype html>\n")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "over_a_run", "over_a_report"),
    [
        ("report.html", None, None),
        ("new/report.html", None, None),
        ("run.json", None, A_RUN),
        ("base.json", "it holds a baseline", "it holds a baseline"),
        ("test_it.py", *["it is a .py file that is there, and no report"] * 2),
        ("whq.toml", *["it is a .toml file that is there, and no report"] * 2),
        ("new_test.py", None, None),
    ],
)
def test_what_people_write_and_results_stay(
    folder: Path, name: str, over_a_run: str | None, over_a_report: str | None
) -> None:
    found = [why_kept(folder / name, is_run=is_run) for is_run in (True, False)]
    assert found == [over_a_run, over_a_report]


def test_a_file_is_known_by_whatever_link_leads_there(folder: Path) -> None:
    (folder / "soft.html").symlink_to(folder / "report.html")
    (folder / "hard.html").hardlink_to(folder / "report.html")
    (folder / "nowhere.html").symlink_to(folder / "new.html")
    (folder / "code.html").symlink_to(folder / "test_it.py")
    taken = [(folder / "report.html", "it is read"), (folder / "new.html", ANOTHER)]
    assert why_kept(folder / "soft.html", taken) == "it is read"
    assert why_kept(folder / "hard.html", taken) == "it is read"
    assert why_kept(folder / "nowhere.html", taken) == ANOTHER
    assert why_kept(folder / "code.html", taken) == "it is a .py file that is there, and no report"
    assert why_kept(folder / "other.html", [*taken, (Path("\0"), "no path")]) is None
