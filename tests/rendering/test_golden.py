"""Each renderer's text of one run, as it stands in ``golden/``; WHQ_GOLDEN=write writes it anew."""

import os
from pathlib import Path

import pytest
from report_run import a_report_run

from pytest_whq.rendering import EXPORTS, RENDERERS, github

GOLDEN = Path(__file__).parent / "golden"
SUFFIX = {"markdown": "md", "openmetrics": "txt", **dict.fromkeys(EXPORTS, "json")}


def agrees(name: str, text: str) -> None:
    path = GOLDEN / name
    if os.environ.get("WHQ_GOLDEN") == "write":
        path.write_text(text, "utf-8")
    assert text == path.read_text("utf-8"), f"see git diff after WHQ_GOLDEN=write: {path}"


@pytest.mark.parametrize("name", [*RENDERERS, *EXPORTS])
def test_the_text_of_a_run_is_the_golden_one(name: str) -> None:
    agrees(f"{name}.{SUFFIX.get(name, name)}", (RENDERERS | EXPORTS)[name](a_report_run(), "file"))


def test_the_commands_for_github_are_the_golden_ones() -> None:
    agrees("github.txt", github.render(a_report_run(), folder="service"))
