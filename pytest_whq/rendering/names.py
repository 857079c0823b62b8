"""The names of tests, as long as there is room for them."""

from collections import Counter
from collections.abc import Sequence

from pytest_whq.rendering.words import one_line

_NAMED = 5

_LEAST = 12
"""Characters of a function's name that stay, and as many of its parameters, however narrow the page."""


def short_names(tests: Sequence[str]) -> list[str]:
    """Node ids without the folders of their files, where that leaves every file a name of its own.

    What is no node id, as the name of an imported record, stays whole.
    """
    paths = {test.split("::", 1)[0] for test in tests if "::" in test}
    bases = Counter(path.rsplit("/", 1)[-1] for path in paths)
    names = []
    for test in tests:
        path, separator, rest = test.partition("::")
        base = path.rsplit("/", 1)[-1] if separator else path
        names.append(one_line(f"{base if bases[base] <= 1 else path}{separator}{rest}"))
    return names


def first_few(names: Sequence[str]) -> str:
    """The first few of ``names``, and how many more there are."""
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def fitted(names: Sequence[str], width: int) -> list[str]:
    """The ``names`` in about ``width`` characters each: in more where two would look the same."""
    distinct = len(set(names))
    longest = max(map(len, names), default=0)
    while width < longest:
        cut = [_cut(name, width) for name in names]
        if len(set(cut)) == distinct:
            return cut
        width += max(4, width // 4)
    return list(names)


def _cut(name: str, width: int) -> str:
    """``name`` without the middle of what says least: of its file, its function, its parameters."""
    if len(name) <= width:
        return name
    file, separator, rest = name.partition("::")
    if not separator:
        return shortened(name, width)
    room = width - len(rest) - len(separator)
    if room >= 1:
        return f"{shortened(file, room)}{separator}{rest}"
    room = width - len("…::")
    function, bracket, parameters = rest.partition("[")
    if not bracket:
        return f"…::{shortened(function, max(_LEAST, room))}"
    function = shortened(function, max(_LEAST, room - len(bracket + parameters)))
    return f"…::{function}{shortened(bracket + parameters, max(_LEAST, room - len(function)))}"


def shortened(name: str, width: int) -> str:
    """``name`` in at most ``width`` characters, the middle left out: its end tells its parameters."""
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    return f"{name[: width - 1 - tail]}…{name[len(name) - tail :]}"
