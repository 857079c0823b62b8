"""A few facts as a table: plain, or as HTML for a notebook."""

from collections.abc import Sequence
from html import escape

Facts = Sequence[tuple[str, str]]


def as_text(facts: Facts) -> str:
    """A line for each fact, its name first; nothing in it steers a terminal."""
    width = max(len(name) for name, _ in facts)
    return "\n".join(f"{name:{width}}   {_printable(said)}" for name, said in facts)


def as_html(facts: Facts) -> str:
    """A table whose every text is escaped."""
    rows = "".join(
        f'<tr><th style="text-align:left">{escape(name)}</th>'
        f'<td style="text-align:left">{escape(_printable(said))}</td></tr>'
        for name, said in facts
    )
    return f"<table>{rows}</table>"


def _printable(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]
