"""Runs as text: one renderer to a file, and each a row of one table.

Nothing of a renderer is imported before it renders.
"""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pytest_whq.model import Run


class Renderer(NamedTuple):
    """A row of `RENDERERS`: what it makes, and the module and function that do.

    ``groups`` is whether it sets variants side by side.
    """

    what: str
    module: str
    function: str = "render"
    groups: bool = False

    def __call__(self, run: "Run", group_by: str | None = None) -> str:
        """The text of ``run``; what is for people sets variants side by side, if asked to."""
        render = getattr(import_module(self.module), self.function)
        text: str = render(run, group_by) if self.groups else render(run)
        return text


RENDERERS = {
    "json": Renderer("the records, as a run file", "pytest_whq.storing.runfile", "run_as_json"),
    "markdown": Renderer(
        "a report in Markdown, for a pull request", "pytest_whq.rendering.markdown", groups=True
    ),
    "html": Renderer("a report as one HTML page", "pytest_whq.rendering.webpage.page", groups=True),
    "csv": Renderer("the records as comma-separated values", "pytest_whq.rendering.csvtable"),
    "openmetrics": Renderer("the metrics as OpenMetrics text", "pytest_whq.rendering.openmetrics"),
}
"""Name -> what makes a file of a run: each has an option of the plugin, and is a format of ``whq show``."""

EXPORTS = {
    "github-benchmark": Renderer(
        "the figures for github-action-benchmark", "pytest_whq.rendering.github_benchmark"
    ),
    "bencher": Renderer("the figures for Bencher", "pytest_whq.rendering.bencher"),
}
"""Name -> what makes a file for another tool of a run: each is a format of ``whq show``."""
