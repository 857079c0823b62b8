"""Other tools' files as JSON values: objects, arrays, lines of objects, archives of them; with bounds."""

import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from pytest_whq.errors import ImportedFileError
from pytest_whq.storing.files import open_regular

MOST_BYTES = 256 * 2**20
"""The longest file of results that is read, and the most that an archive may hold unpacked."""

MOST_MEMBERS = 10_000
MOST_SQUEEZED = 200
"""Times that a member of an archive may grow: JSON of results grows by 5 to 30."""

NOT_WHOLE = "Fetch or export it again."


@dataclass(frozen=True, slots=True)
class Document:
    """One JSON value of a file, with the place it stands at for messages."""

    where: str
    value: Any


@dataclass(frozen=True, slots=True)
class Documents:
    """What was read of one file, and a sentence for each part of it that was not."""

    documents: tuple[Document, ...]
    left_out: tuple[str, ...] = ()


def documents_of(path: Path) -> Documents:
    """The JSON values in the file at ``path``; ImportedFileError where there is none to be had."""
    data = _bytes(path)
    if data[:4] in _ARCHIVES:
        return _in_archive(data, path)
    return _parsed(data, str(path))


_ARCHIVES = (b"PK\x03\x04", b"PK\x05\x06")
"""How an archive begins, and one of nothing."""


def _bytes(path: Path) -> bytes:
    try:
        with open_regular(path) as file:
            data = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ImportedFileError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    if len(data) > MOST_BYTES:
        raise ImportedFileError(
            f"{path} is longer than {MOST_BYTES // 2**20} MiB, the most that is read. Give parts of it."
        )
    return data


def _parsed(data: bytes, where: str) -> Documents:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportedFileError(f"{where} is not UTF-8 text ({error.reason}). {NOT_WHOLE}") from None
    try:
        return Documents((Document(where, _loads(text)),))
    except (ValueError, RecursionError) as error:
        if text.lstrip().startswith("["):
            return _before_the_cut(text, where, error)
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) < 2:
            raise ImportedFileError(f"{where} is not whole JSON ({_why(error)}). {NOT_WHOLE}") from None
        return _lines(text, where, error)


def _before_the_cut(text: str, where: str, whole: Exception) -> Documents:
    """The items of an array up to where it breaks off."""
    decoder = json.JSONDecoder(parse_constant=lambda _: None, parse_float=_finite)
    items: list[Any] = []
    at = text.index("[") + 1
    try:
        while found := _ITEM.match(text, at):
            item, at = decoder.raw_decode(text, found.end())
            items.append(item)
    except (ValueError, RecursionError):
        pass
    if not items:
        raise ImportedFileError(f"{where} is not whole JSON ({_why(whole)}). {NOT_WHOLE}") from None
    said = f"{where} is not whole JSON ({_why(whole)}): what comes after its first {len(items)} items"
    return Documents((Document(where, items),), (f"{said} is left out",))


_ITEM = re.compile(r"[\s,]*(?=\{)")


def _lines(text: str, where: str, whole: Exception) -> Documents:
    """A value for each line; where none is one, the file is no lines of JSON but broken JSON."""
    found, left_out = [], []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            found.append(Document(f"{where}, line {number}", _loads(line)))
        except (ValueError, RecursionError) as error:
            left_out.append(f"{where}, line {number}, is not whole JSON ({_why(error)})")
    if not any(isinstance(one.value, dict) for one in found):
        raise ImportedFileError(f"{where} is not whole JSON ({_why(whole)}). {NOT_WHOLE}")
    return Documents(tuple(found), tuple(left_out))


def _loads(text: str) -> Any:
    # NaN and Infinity, which some tools write, stand for what is not known.
    return json.loads(text, parse_constant=lambda _: None, parse_float=_finite)


def _finite(text: str) -> float | None:
    number = float(text)
    return number if abs(number) < float("inf") else None


def _why(error: Exception) -> str:
    return "nested too deeply" if isinstance(error, RecursionError) else str(error)


def _in_archive(data: bytes, path: Path) -> Documents:
    found: list[Document] = []
    left_out: list[str] = []
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            for member in _members(archive, path):
                where = f"{path}, {member.filename}"
                try:
                    parts = _parsed(_unpacked(archive, member, where), where)
                except ImportedFileError as error:
                    left_out.append(str(error))
                    continue
                found += parts.documents
                left_out += parts.left_out
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ImportedFileError(f"{path} is not a whole archive ({error}). {NOT_WHOLE}") from None
    if not found:
        raise ImportedFileError(f"{path} holds no JSON that can be read. Give an archive of results.")
    return Documents(tuple(found), tuple(left_out))


def _members(archive: zipfile.ZipFile, path: Path) -> Iterator[zipfile.ZipInfo]:
    listed = [one for one in archive.infolist() if one.filename.endswith((".json", ".jsonl"))]
    size = sum(one.file_size for one in listed)
    grown = max((one.file_size / max(one.compress_size, 1) for one in listed), default=0.0)
    if len(archive.infolist()) > MOST_MEMBERS or size > MOST_BYTES or grown > MOST_SQUEEZED:
        raise ImportedFileError(
            f"{path} would unpack to {size / 2**20:,.0f} MiB (JSON files: {len(listed):,}), up to "
            f"{grown:,.0f} times "
            f"their packed size: it is refused. At most {MOST_BYTES // 2**20} MiB, {MOST_MEMBERS:,} "
            "files and "
            f"{MOST_SQUEEZED} times are unpacked; unpack it yourself if you trust it."
        )
    yield from listed


def _unpacked(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> bytes:
    with archive.open(member) as file:
        # What a member says of its size is not to be trusted.
        data = file.read(member.file_size + 1)
    if len(data) > member.file_size:
        raise ImportedFileError(f"{where} is longer than it says. {NOT_WHOLE}")
    return data
