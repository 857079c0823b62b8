"""What a session collected and what it chose of that, which tells why a test did not run."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import pytest

from pytest_whq.judging.budget_file import BudgetEntry
from pytest_whq.judging.gaps import unused_entries
from pytest_whq.model import Gap
from pytest_whq.plugin.items import is_measured


class Selection:
    """The tests that this process has collected, before any was left out, and those that were."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._collected: frozenset[str] | None = None
        self._measured: tuple[str, ...] = ()
        self._left_out: set[str] = set()

    def note_collected(self, items: Sequence[pytest.Item]) -> None:
        """Take in all that was collected."""
        self._collected = frozenset(item.nodeid for item in items)
        self._measured = tuple(item.nodeid for item in items if is_measured(item))

    def note_left_out(self, items: Sequence[pytest.Item]) -> None:
        """Take in what is not going to run."""
        self._left_out.update(item.nodeid for item in items)

    def gaps(self, tests: Collection[str], entries: Sequence[BudgetEntry]) -> Iterator[Gap]:
        """Those of ``tests`` that are not going to run, and those of ``entries`` that are for no test.

        None where nothing was collected here, as in a session that broke off or whose workers collect.
        """
        if self._collected is None:
            return
        root, given = self._config.rootpath, list(_given(self._config))
        files = {test.partition("::")[0] for test in self._collected}
        for test in tests:
            if test in self._left_out:
                yield Gap("not_selected", test)
            elif test not in self._collected:
                file = test.partition("::")[0]
                # Not there: its file is not, or the whole of it was collected, and this was not in it.
                is_gone = not (root / file).exists() or (file in files and _is_within(test, given))
                yield Gap("gone" if is_gone else "not_selected", test)
        # What --lf passes over is not even collected.
        if not getattr(self._config.option, "lf", False):
            for gap in unused_entries(entries, self._measured):
                if _is_within(_literal_part(gap.why or ""), given):
                    yield gap


def _given(config: pytest.Config) -> Iterator[str]:
    """What pytest was asked to collect, as the beginnings of node ids."""
    root = config.rootpath.resolve()
    for argument in config.args:
        path, separator, rest = argument.partition("::")
        folder = Path(config.invocation_params.dir, path).resolve()
        if folder.is_relative_to(root):
            start = folder.relative_to(root).as_posix()
            yield "" if start == "." else f"{start}{separator}{rest}"


def _is_within(name: str, given: Sequence[str]) -> bool:
    ends = ("/", "::", "[")
    return any(
        not start or name == start or name.startswith(tuple(start + end for end in ends)) for start in given
    )


def _literal_part(pattern: str) -> str:
    return pattern.partition("*")[0].partition("?")[0]
