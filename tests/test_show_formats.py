from pathlib import Path

import pytest
from samples import FULL, NOTHING, a_run

from pytest_whq.cli import main
from pytest_whq.rendering import EXPORTS, RENDERERS
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


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_without_figures_says_so(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "run.json"
    write_run(a_run(NOTHING), path)
    assert main(["show", str(path), "--format", name]) == 0
    shown = capsys.readouterr()
    assert shown.out.strip() in ("[]", "{}")
    assert shown.err == (
        f"whq: No test has a figure that stands: {name} gets none, which its tool may refuse.\n"
    )
