"""Text from outside in Markdown: shown as it is, and acted on by nobody."""

import re

from pytest_whq.rendering.names import shortened

NAME = 48
"""Characters of a name that leave the other columns of a comment their room; more where two look alike."""

LONGEST_NAME = 90
_SENTENCE = 400

_PROSE = re.compile(
    r"(?![-+ ]|\d+[.)]|.*GH-\d)"  # neither a list nor a reference to an issue
    r"(?:[^\W_]|[ ,;%±·–()'\"=+/-]"
    r"|(?<![wW]{3})\."  # no address that begins with www.
    r"|:(?= |$)|(?<=\d):(?=\d\d\b(?!:))"  # nor with https:, and no emoji between colons
    r"|(?<=[^\W_])_(?=[^\W_])"  # within a word it emphasises nothing
    r"|\[\d+\](?![(:\[])"  # no link
    r")*"
)
"""Text in which Markdown, and what GitHub and GitLab add to it, finds nothing to act on."""


def escaped(text: str) -> str:
    """Printable ``text`` as Markdown that shows it as it is, anywhere within a line."""
    return text if _PROSE.fullmatch(text) else code(text)


def sentence_of(text: str) -> str:
    """Printable ``text`` as `escaped` has it, no longer than anybody reads."""
    return escaped(shortened(text, _SENTENCE))


def code(text: str) -> str:
    """Printable ``text`` as code, in which no mention, link or reference is looked for."""
    if text and text == text.strip() and not _UNSPEAKABLE.intersection(text):
        return f"`{text}`"
    return f"<code>{_PUNCTUATION.sub(lambda found: f'&#{ord(found[0])};', text)}</code>"


_UNSPEAKABLE = frozenset("`|\\")
"""What code between backticks cannot hold, at least not in a table."""

_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")


def unbroken(text: str) -> str:
    """``text``, as Markdown or HTML, in which no line ends between a number and its unit or sign."""
    return _JOINED.sub("&nbsp;", text)


_JOINED = re.compile(r"(?<=\d) (?=(?:[fpnµmkMGT]?(?:Wh|[JWgs])\b)|%)|(?<=±) (?=\d)")
