from pathlib import Path

import pytest
from samples import FULL, NOTHING, a_record, a_run

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


@pytest.fixture
def two_variants(tmp_path: Path) -> str:
    """A run file of two tests that differ in their parameters."""
    path = tmp_path / "variants.json"
    write_run(a_run(*(a_record(f"tests/test_it.py::test[{model}]") for model in ("1b", "8b"))), path)
    return str(path)


def test_variants_stand_side_by_side_in_the_formats_for_people(
    two_variants: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ("markdown", "html"):
        assert main(["show", two_variants, "--format", form, "--group-by", "test"]) == 0
        assert "Side by side, by test" in capsys.readouterr().out
    page, budgets = tmp_path / "page.html", tmp_path / "whq.toml"
    budgets.write_text("[[budgets]]\nwh_per_query = 1\n", "utf-8")
    judged = ["check", two_variants, "--budgets", str(budgets)]
    assert main([*judged, "--group-by", "test", "--html", str(page)]) == 0
    assert "Side by side, by test" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("form", "option", "value"),
    [("markdown", "--sort", "power"), ("html", "--columns", "power"), ("csv", "--group-by", "test")],
)
def test_an_option_that_does_nothing_in_a_format_is_refused(
    two_variants: str, form: str, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", two_variants, "--format", form, option, value]) == 2
    assert capsys.readouterr() == (
        "",
        f"whq: {option} does nothing in {form}: leave it or --format out.\n",
    )


@pytest.mark.parametrize("form", ["terminal", "markdown"])
def test_groups_that_are_not_known_are_refused_in_every_format(
    two_variants: str, form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["show", two_variants, "--format", form, "--group-by", "tests"]) == 2
    assert "--group-by cannot be 'tests' (did you mean test?)" in capsys.readouterr().err


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
