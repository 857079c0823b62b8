"""The rows of a table as tools and spreadsheets write it: in commas, semicolons, tabs or blanks."""

import codecs
import csv
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path

from pytest_whq.errors import ImportedFileError


@contextmanager
def rows_of(path: Path) -> Iterator[Iterator[list[str]]]:
    """The rows of the table at ``path``, meanwhile; ImportedFileError where it is none."""
    try:
        with path.open(encoding=_encoding(path), errors="replace", newline="") as file:
            yield _rows(file)
    except OSError as error:
        raise ImportedFileError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    except csv.Error as error:
        raise ImportedFileError(f"{path} is no table of comma-separated values ({error}).") from None


def _encoding(path: Path) -> str:
    """UTF-8, but for what a Windows shell has redirected."""
    with path.open("rb") as file:
        start = file.read(2)
    return "utf-16" if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _rows(file: Iterable[str]) -> Iterator[list[str]]:
    lines = iter(file)
    first = next((line for line in lines if line.strip()), "")
    delimiter = max(",;\t", key=first.count)
    if delimiter not in first:
        return _in_blanks(chain([first], lines))
    rows = csv.reader(chain([first], lines), delimiter=delimiter, skipinitialspace=True)
    # Where commas do not divide cells they divide numbers.
    return rows if delimiter == "," else ([cell.replace(",", ".") for cell in row] for row in rows)


def _in_blanks(lines: Iterable[str]) -> Iterator[list[str]]:
    for line in lines:
        # dmon marks its header with "#" or "# ", and shows a device as two words.
        yield line.lstrip("# ").replace("GPU ", "GPU-").replace("GPU-I ", "GPU-I-").split()
