"""The rows of a table as tools and spreadsheets write it: in commas, semicolons, tabs or blanks."""

import codecs
import csv
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from pytest_whq.errors import ImportedFileError
from pytest_whq.storing.files import open_regular

MOST_BYTES = 2 * 2**30
"""The longest table that is read: a rack's power of months."""


@contextmanager
def rows_of(path: Path) -> Iterator[Iterator[list[str]]]:
    """The rows of the table at ``path``, meanwhile; ImportedFileError where it is none."""
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                most = f"{MOST_BYTES // 2**30} GiB"
                raise ImportedFileError(
                    f"{path} is longer than {most}, the most that is read. Give parts of it."
                )
            with TextIOWrapper(file, _encoding(file), errors="replace", newline="") as lines:
                yield _rows(lines)
    except OSError as error:
        raise ImportedFileError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    except csv.Error as error:
        raise ImportedFileError(f"{path} is no table of comma-separated values ({error}).") from None


def _encoding(file: BinaryIO) -> str:
    """UTF-8, but for what a Windows shell has redirected."""
    start = file.read(2)
    file.seek(0)
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
