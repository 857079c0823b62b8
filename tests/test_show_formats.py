from pathlib import Path

import pytest
from samples import FULL, NOTHING, a_run

from pytest_whq.cli import main
from pytest_whq.rendering import RENDERERS
from pytest_whq.storing.runfile import write_run


@pytest.mark.parametrize("name", RENDERERS)
def test_a_run_is_shown_in_every_format(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = a_run(FULL, NOTHING)
    path = tmp_path / "run.json"
    write_run(run, path)
    assert main(["show", str(path), "--format", name]) == 0
    assert capsys.readouterr() == (RENDERERS[name](run), "")


def test_a_format_that_is_not_there_is_refused_with_those_that_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["show", "--format", "pdf"]) == 2
    assert "'markdown', 'html', 'csv', 'openmetrics'" in capsys.readouterr().err
