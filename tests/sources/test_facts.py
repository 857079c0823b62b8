"""What a source says of itself, and what is asked of it nowhere else."""

import ast
from pathlib import Path

import pytest

import pytest_whq
from pytest_whq.sources import BUILT_IN
from pytest_whq.sources.built_in import BuiltIn
from pytest_whq.sources.facts import SourceFacts, facts_of
from pytest_whq.testing import FakeClock, ScriptedSource

PACKAGE = Path(pytest_whq.__file__).parent
FACTS = {"scope", "driver", "estimated", "power_averaging_s", "sensors", "list_devices"}


class Silent(ScriptedSource):
    """Has the four methods and, for what they are asked, no attribute."""

    def __getattribute__(self, name: str) -> object:
        if name in FACTS:
            raise AttributeError(name)
        return super().__getattribute__(name)


def test_what_a_source_does_not_say_is_unknown() -> None:
    facts = facts_of(Silent.__new__(Silent))
    assert facts == SourceFacts(None, None, False, {}, {})


def test_what_a_source_says_is_taken_as_it_says_it() -> None:
    facts = facts_of(ScriptedSource(FakeClock(), averaging_s=0.1))
    assert facts == SourceFacts("gpu", "scripted", False, {"SCRIPTED-0": 0.1}, {})


@pytest.mark.once
@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_no_other_file_asks_a_source_for_what_it_may_lack(path: Path) -> None:
    asked = {
        node.args[1].value
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("getattr", "hasattr")
        and isinstance(node.args[1], ast.Constant)
    }
    assert asked & FACTS == ({"list_devices"} if path.name == "facts.py" else set())


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_each_built_in_source_is_where_the_table_says(name: str) -> None:
    entry = BUILT_IN[name]
    assert isinstance(entry, BuiltIn)
    assert isinstance(entry._factory(), type)
