"""The templates of the HTML page: the only place that escapes, and the only one that does not."""

import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pytest_whq.rendering.names import shortened
from pytest_whq.rendering.words import one_line

_PACKAGE = "pytest_whq.rendering.webpage"


@cache
def environment() -> Environment:
    """Templates that write every value escaped and in one line, and fail on a name that nobody gave them.

    Escaping holds for text and for attributes in quotes: within ``<style>``, ``<script>`` and links a
    value from outside has no place.
    """
    templates = Environment(
        loader=PackageLoader(_PACKAGE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    templates.filters.update(pieces=_pieces, shortened=shortened)
    return templates


def _printable(value: object) -> object:
    return value if isinstance(value, Markup) else one_line(str(value))


_LONGEST_WORD = 30
"""A line may end within a word that is longer: the page must not become as wide."""


def _pieces(name: str) -> list[str]:
    """The parts of a test's name between which a line may end."""
    words = re.split(r"(?<=::)|(?<=[/_])|(?=\[)", name)
    return [word[at : at + _LONGEST_WORD] for word in words for at in range(0, len(word) or 1, _LONGEST_WORD)]


def page_of(template: str, styles: Sequence[str], script: str | None = None, **values: object) -> str:
    """The page of ``template``, filled with ``values``; styles and script are files beside this one.

    They go into the page as they are, and its policy allows nothing else.
    """
    style, code = _own_files(styles), None if script is None else _own_files([script])
    found = environment().get_template(template)
    return found.render(policy=_policy_for(style, code), style=style, script=code, **values)


def _own_files(names: Sequence[str]) -> Markup:
    return Markup("".join((files(_PACKAGE) / name).read_text("utf-8") for name in names))


def _policy_for(style: str, script: str | None) -> str:
    """A Content-Security-Policy that allows this style, this script if there is one, and nothing else."""
    allowed = f"style-src {_source(style)}" + (f"; script-src {_source(script)}" if script else "")
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _source(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
