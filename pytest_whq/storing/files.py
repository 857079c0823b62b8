"""Files of results: read with a bound, parsed as strict JSON, written whole or not at all."""

import errno
import json
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_whq.errors import RunFileError

MAX_BYTES = 64 * 2**20
"""The longest file that is read: some twenty thousand tests of ten rounds each."""

RECORD_AGAIN = "Record the run again."
"""What to do about a run file that cannot be read."""


def read_bytes(path: Path) -> bytes:
    """What is in the file at ``path``; RunFileError where there is none or it is too long."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            # A pipe has no size, so that what comes out of it is bounded too.
            data = b"" if size > MAX_BYTES else file.read(MAX_BYTES + 1)
    except OSError as error:
        raise RunFileError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    if max(size, len(data)) > MAX_BYTES:
        raise RunFileError(
            f"{path} is longer than {MAX_BYTES // 2**20} MiB, the most that is read. Check the path, "
            "or record fewer tests in one run."
        )
    return data


def parse_json(data: bytes, where: str, remedy: str = RECORD_AGAIN) -> Any:
    """The JSON value in ``data``; RunFileError, which begins with ``where``, where it holds none."""
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object_without_duplicates)
    except _DuplicateNameError as error:
        raise RunFileError(f"{where} has the field {error.args[0]!a} twice in one object. {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise RunFileError(f"{where} is not whole JSON ({error}). {remedy}") from None


class _DuplicateNameError(Exception):
    pass


def _object_without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        raise _DuplicateNameError(next(name for name in names if names.count(name) > 1))
    return found


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8: whatever happens, the old file or the new one is there.

    A file that was there lends its permissions, and a link is followed. RunFileError where it
    cannot be written; then nothing has changed.
    """
    try:
        _replace(Path(os.path.realpath(path)), text.encode("utf-8"))
    except OSError as error:
        raise RunFileError(
            f"{path} cannot be written ({error.strerror}). "
            "Give the path of a file in a folder that is there and that you may write to."
        ) from error


def _replace(target: Path, data: bytes) -> None:
    mode = _mode(target)
    temporary = target.parent / f".whq-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    # Not tempfile.mkstemp: its files are for their owner only, whatever the umask says.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None:
                os.fchmod(descriptor, mode)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _mode(target: Path) -> int | None:
    """The permissions of the file at ``target``, None where there is none."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(status.st_mode):
        # Renaming over a device would replace the device.
        raise OSError(errno.EINVAL, "not a regular file")
    return stat.S_IMODE(status.st_mode)
