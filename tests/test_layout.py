"""The house itself: imports point one way, files stay readable, and what is promised is there."""

import ast
from collections.abc import Iterator
from importlib.util import resolve_name
from pathlib import Path

import pytest

import pytest_whq

PACKAGE = Path(pytest_whq.__file__).parent
LAYERS = (
    {"errors", "units", "serving"},
    {"model"},
    {"tokens", "sources"},
    {"measuring"},
    {"storing"},
    {"judging"},
    {"importing"},
    {"rendering"},
    {"testing"},
    {"cli"},
    {"plugin"},
)
"""A room may import itself and those in the rows above it, not its neighbours in a row."""

ONLY_HERE = {"pytest": "plugin/*.py", "_pytest": "no file", "pynvml": "sources/nvml.py"}
LONGEST = 300

FILES = sorted(PACKAGE.rglob("*.py"))
every_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))


def room_of(path: Path) -> str:
    """The first folder or file below the package, ``__init__`` for its own door."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it, by their whole names."""
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


@every_file
def test_imports_point_one_way(path: Path) -> None:
    room = room_of(path)
    if room == "__init__":
        return
    row = next(number for number, rooms in enumerate(LAYERS) if room in rooms)
    allowed = {room, "__version__"}.union(*LAYERS[:row])
    ours = (name.split(".") for name in imports_of(path) if name.startswith("pytest_whq."))
    assert {found for _, found, *_ in ours} <= allowed


@every_file
def test_pytest_and_pynvml_are_imported_in_one_place(path: Path) -> None:
    for name in imports_of(path):
        place = ONLY_HERE.get(name.split(".")[0])
        assert place is None or path.relative_to(PACKAGE).match(place), f"{name} belongs in {place}"


@every_file
def test_a_file_says_what_it_is_for_and_ends_before_it_is_long(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_every_room_has_its_row() -> None:
    assert {room_of(path) for path in FILES} - {"__init__"} <= set().union(*LAYERS)


def test_every_promised_name_is_there_and_no_other() -> None:
    promised = {name: getattr(pytest_whq, name) for name in pytest_whq.__all__}
    assert [name for name in promised if name.startswith("_")] == []
    assert sorted(pytest_whq.__all__) == pytest_whq.__all__
    door = ast.parse((PACKAGE / "__init__.py").read_text("utf-8"))
    shown_to_type_checkers = {
        alias.name
        for node in ast.walk(door)
        if isinstance(node, ast.ImportFrom) and node.module != "typing"
        for alias in node.names
        if alias.name != "import_module"
    }
    assert shown_to_type_checkers == promised.keys()
    with pytest.raises(AttributeError, match="module 'pytest_whq' has no attribute 'Nothing'"):
        pytest_whq.Nothing  # noqa: B018
