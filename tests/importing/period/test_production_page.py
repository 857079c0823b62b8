"""The page on production holds: its example is executed, and its run goes where runs go."""

from pathlib import Path

import pytest
from production import Production
from readme_project import ROOT, blocks

from pytest_whq.cli import main
from pytest_whq.servers.engines import ENGINES

PAGE = (ROOT / "docs/production.md").read_text("utf-8")


def test_the_example_gives_what_it_shows_and_its_run_is_one_like_any_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    command, _, shown = blocks("console", PAGE)[0].partition("\n")
    with Production(engine_restart=1800, gap=(5000, 5300)).serve() as address:
        arguments = command.removeprefix("$ whq ").replace("http://prometheus:9090", address).split()
        assert main(arguments) == 0
    assert capsys.readouterr().out.strip() == shown.strip()
    Path("whq.toml").write_text("[[budgets]]\nwh_per_query = 0.204\n")
    assert main(["check", "period.json", "--budgets", "whq.toml"]) == 1
    assert "exceeded" in capsys.readouterr().out
    for other in ("show", "table", "regions", "disclose"):
        assert main([other, "period.json"]) == 0
    assert main(["compare", "period.json", "--", "period.json"]) == 0


def test_every_engine_that_counts_queries_is_named() -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith("| `--queries ENGINE`"))
    for name, engine in ENGINES.items():
        assert (f"`{name}`" in row) == bool(engine.ended)
