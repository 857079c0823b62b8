"""The house itself: imports point one way, files stay readable, and what is promised is there."""

import ast
from collections import Counter
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from importlib.util import resolve_name
from pathlib import Path

import pytest

import pytest_whq

pytestmark = pytest.mark.once

PACKAGE = Path(pytest_whq.__file__).parent
ROOMS = (
    *("errors", "units", "setting_values", "interval", "version", "real_time"),
    *("model", "git", "tokens", "scraping", "sources", "servers", "joules", "queries"),
    *("measuring", "calling", "calibrating"),
    *("storing", "judging", "importing", "footprint", "history", "rendering", "reports"),
    *("testing", "scripting", "cli", "plugin", "__main__"),
)
"""From the ground up: a room imports itself and what stands before it."""

ONLY_HERE = {
    "pytest": ("plugin/*.py", "testing/project.py"),
    "_pytest": (),
    "pynvml": ("sources/nvml/source.py",),
}
LONGEST = 300
LARGEST = 0.1

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


def files_imported_by(path: Path) -> set[Path]:
    """The files of the package that a file imports, wherever in it, less itself."""
    return {found for name in imports_of(path) if (found := file_of(name)) is not None} - {path}


def file_of(name: str) -> Path | None:
    """The file in which ``name``, a module or what stands in one, is found; None outside the package."""
    if name.split(".")[0] != PACKAGE.name:
        return None
    module = PACKAGE.joinpath(*name.split(".")[1:])
    for found in (module.with_suffix(".py"), module / "__init__.py"):
        if found in FILES:
            return found
    return file_of(name.rpartition(".")[0])


def test_every_room_has_its_place() -> None:
    assert {room_of(path) for path in FILES} == {*ROOMS, "__init__"}


def test_contributors_are_told_the_order_of_the_rooms() -> None:
    page = (Path(__file__).parent.parent / "CONTRIBUTING.md").read_text("utf-8")
    listed = page.split("holds every file to it: ")[1].split(".")[0]
    assert tuple(listed.replace("\n", " ").split(", ")) == ROOMS


@every_file
def test_imports_point_one_way(path: Path) -> None:
    if room_of(path) == "__init__":
        return  # The door shows what all rooms hold.
    own = ROOMS.index(room_of(path))
    upwards = {
        str(found.relative_to(PACKAGE))
        for found in files_imported_by(path)
        if room_of(found) != "__init__" and ROOMS.index(room_of(found)) > own
    }
    assert upwards == set()


def test_no_file_imports_itself_by_way_of_others() -> None:
    graph = {path: files_imported_by(path) for path in FILES if room_of(path) != "__init__"}
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        circle = " -> ".join(str(path.relative_to(PACKAGE)) for path in error.args[1])
        pytest.fail(f"a circle of imports: {circle}", pytrace=False)


@every_file
def test_pytest_and_pynvml_are_imported_only_where_they_are_needed(path: Path) -> None:
    for name in imports_of(path):
        places = ONLY_HERE.get(name.split(".")[0])
        here = places is None or any(map(path.relative_to(PACKAGE).match, places))
        assert here, f"{name} belongs in {places}"


@every_file
def test_a_file_says_what_it_is_for_and_ends_before_it_is_long(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(text.splitlines()) <= LONGEST
    assert not text.strip() or ast.get_docstring(ast.parse(text))


def test_no_room_is_larger_than_a_tenth_of_the_house() -> None:
    lines = Counter[Path]()
    for path in FILES:
        lines[path.parent] += len(path.read_text("utf-8").splitlines())
    assert {room: n for room, n in lines.items() if n > LARGEST * lines.total()} == {}


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
        if alias.name not in ("import_module", "__version__")
    }
    assert shown_to_type_checkers == promised.keys()
    with pytest.raises(AttributeError, match="module 'pytest_whq' has no attribute 'Nothing'"):
        pytest_whq.Nothing  # noqa: B018
