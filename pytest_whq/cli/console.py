"""What commands share: files read, complaints, the table in the terminal."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_whq.model import Run
    from pytest_whq.rendering.arrangement import Arrangement

JOURNAL_FOLDER = Path(".pytest_cache", "d", "whq")
"""Where the plugin keeps the journal, seen from the folder that pytest ran in."""


def say(text: str) -> None:
    """Print lines of text to standard output."""
    from pytest_whq.rendering.words import printable

    print(printable(text))


def hand_over(document: str) -> None:
    """Print what a renderer made for another program, which has its own escapes, as it is."""
    print(document.removesuffix("\n"))


def complain(sentence: str) -> None:
    """Say what is wrong, in one line of standard error."""
    show_log(f"whq: {sentence}")


def show_log(line: str) -> None:
    """Print a line to standard error, such as one that another program has written."""
    from pytest_whq.rendering.words import one_line

    print(one_line(line), file=sys.stderr)


def load(path: Path | None) -> "Run":
    """The run at ``path``, as of `load_all`; of a baseline each test's latest figures on its latest rig."""
    from pytest_whq.model.baseline_runs import latest_of
    from pytest_whq.units import number_of

    *earlier, last = runs = load_all(path)
    if not earlier:
        return last
    latest = latest_of(runs)
    complain(f"{path} is a baseline of {len(runs)} runs: the latest of each test on the last one's rig.")
    others = {record.test for run in earlier for record in run.records} - {one.test for one in latest.records}
    if others:
        complain(f"{number_of(len(others), 'test')} of other rigs cannot be shown beside the others.")
    return latest


def load_all(path: Path | None) -> "list[Run]":
    """The runs at ``path``, a run file, a journal or a baseline; else that of the last session here."""
    from pytest_whq.storing import journal

    if path is not None and path.suffix != journal.SUFFIX:
        from pytest_whq.storing.any_file import read_runs

        return read_runs(path)
    session = journal.read_last_session(JOURNAL_FOLDER) if path is None else journal.read_session(path)
    if path is None and (note := _older(session.run)):
        complain(note)
    if session.note is not None:
        complain(session.note)
    for other in session.others:
        complain(f"Another session measured here at the same time: see whq show {other}")
    return [session.run]


_OLD_H = 12.0


def _older(run: "Run") -> str | None:
    """What there is to say of the last session where it may not be the one that was meant."""
    from datetime import UTC, datetime

    from pytest_whq.git import current_commit

    hours = (datetime.now(UTC) - datetime.fromisoformat(run.created)).total_seconds() / 3600
    here = current_commit(Path.cwd()) if run.commit is not None else None
    if here is not None and run.commit is not None and here.id != run.commit.id:
        return (
            f"The last session measured commit {run.commit.id[:10]}, {_ago(hours)}; "
            f"the working tree is at {here.id[:10]}."
        )
    return f"The last session that measured was {_ago(hours)}." if hours >= _OLD_H else None


def _ago(hours: float) -> str:
    from pytest_whq.units import number_of

    if hours < 1:
        return "less than an hour ago"
    return (
        f"{number_of(int(hours), 'hour')} ago" if hours < 48 else f"{number_of(int(hours / 24), 'day')} ago"
    )


def add_file_to_write(parser: argparse.ArgumentParser, *names: str, metavar: str = "PATH", what: str) -> None:
    """Let a command take the path of a file that it writes; see `refuse_overwriting`."""
    parser.add_argument(*names, metavar=metavar, type=_file_to_write, action=_FileToWrite, help=what)


class _FileToWrite(argparse.Action):
    """Keeps the path, and that it is written, with the name that the user gave the option."""

    def __call__(
        self, parser: object, namespace: argparse.Namespace, values: object, name: object = None
    ) -> None:
        setattr(namespace, self.dest, values)
        namespace.written = {**_written(namespace), self.dest: name}


def _written(options: argparse.Namespace) -> dict[str, str]:
    """Where the path of each file to write is, and by which option it was given."""
    written: dict[str, str] = getattr(options, "written", {})
    return written


def refuse_overwriting(options: argparse.Namespace) -> None:
    """SettingError where a command would write over what it reads, or over what nobody means to lose."""
    if not (written := _written(options)):
        return
    from pytest_whq.errors import SettingError
    from pytest_whq.storing.overwriting import ANOTHER, why_kept

    given = (value for name, value in vars(options).items() if name not in written)
    listed = (one for value in given for one in (value if isinstance(value, list) else [value]))
    files = (Path(one) for one in listed if isinstance(one, (str, Path)) and os.path.isfile(one))
    taken = [(path, "the command reads it") for path in files]
    for name, option in written.items():
        path = getattr(options, name)
        if (why := why_kept(path, taken, is_run=name in _OF_RUNS)) is not None:
            raise SettingError(f"{option} cannot be {str(path)!r}: {why}.")
        taken.append((path, ANOTHER))


_OF_RUNS = ("json", "output")
"""The options that write a run file, and may do so again."""


def _file_to_write(text: str) -> Path:
    """The path of a file that an option names."""
    if text == "-":
        raise argparse.ArgumentTypeError(
            "- is no file: whq show --format prints to standard output; ./- is a file of that name"
        )
    return Path(text)


def formats_help(formats: Sequence[str]) -> str:
    """What the help says of ``--format``, whose default is the first of ``formats``."""
    first, *others = formats
    return f"{first} (default), {', '.join(others)}"


def as_terminal(run: "Run", options: argparse.Namespace) -> str:
    """The table of ``run``, as wide as the terminal."""
    import shutil

    from pytest_whq.rendering import terminal

    width = shutil.get_terminal_size().columns
    return terminal.render(run, verbosity=options.verbose, width=width, arranged=arranged(options))


def arranged(options: argparse.Namespace) -> "Arrangement":
    """How the options of `add_table` arrange it; SettingError where they cannot."""
    from pytest_whq.rendering.arrangement import arrangement

    return arrangement(
        ("--columns", options.columns), ("--sort", options.sort), ("--group-by", options.group_by)
    )


def add_table(parser: argparse.ArgumentParser) -> None:
    """Let a command that prints the table take how it is arranged."""
    parser.add_argument("-v", "--verbose", action="count", default=0, help="tokens, power and time as well")
    parser.add_argument("--sort", metavar="COLUMN", help="name, energy or a column; --sort=-energy falls")
    parser.add_argument("--columns", metavar="LIST", help="such as power,tokens,budget")
    parser.add_argument(
        "--group-by", metavar="WHAT", help="variants side by side: by test, file, all or param:NAME"
    )
