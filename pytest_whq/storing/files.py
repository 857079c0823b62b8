"""Files of results: read with a bound, parsed as strict JSON, written whole or not at all."""

import errno
import gc
import json
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from pytest_whq.errors import RunFileError, SettingError

MAX_BYTES = 64 * 2**20
"""The longest file that is read: some twenty thousand tests of ten rounds each."""

RECORD_AGAIN = "Record the run again."
"""What to do about a run file that cannot be read."""


_MOST_VALUES = 4_000_000
_FEW_VALUES = 200_000
_SHORTEST_VALUE = 4
"""How many values a file of results may have, by its length where they are not few: each takes some 70 bytes
of memory, in `{},{},{}` as in a figure."""

MAX_SETTINGS_BYTES = 2**20
"""The longest file of settings that is read."""


BINARY: int = getattr(os, "O_BINARY", 0)
"""Without it Windows would change the ends of lines."""

_UNIX = ("O_NONBLOCK", "O_NOCTTY", "O_CLOEXEC")
_NO_WAITING = sum({getattr(os, name, 0) for name in _UNIX}) | BINARY


def read_bytes(path: Path) -> bytes:
    """What is in the file at ``path``; RunFileError where there is none, or it is too long."""
    try:
        data = _read(path, MAX_BYTES)
    except OSError as error:
        raise RunFileError(f"{path} cannot be read ({error.strerror}). Check the path.") from error
    if data is None:
        raise RunFileError(
            f"{path} is longer than {MAX_BYTES // 2**20} MiB, the most that is read. Check the path, "
            "or record fewer tests in one run."
        )
    return data


def read_settings(path: Path, name: str) -> str:
    """The text of the file of settings at ``path``; SettingError, which says ``name``, where it has none."""
    try:
        data = _read(path, MAX_SETTINGS_BYTES)
        if data is not None:
            return data.decode("utf-8")
    except OSError as error:
        raise SettingError(f"{name} cannot be read ({error.strerror}). Check the path.") from error
    except UnicodeDecodeError as error:
        raise SettingError(f"{name} is not UTF-8 text ({error.reason}). Save it as UTF-8.") from error
    raise SettingError(f"{name} is longer than 1 MiB, the most that is read of settings. Check the path.")


def _read(path: Path, most: int) -> bytes | None:
    """What is in a file of at most so many bytes, None where it is longer; OSError where it is no file."""
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        # By its size, where it has one: a buffer for the longest file is no small one.
        data = b"" if size > most else file.read((size or most) + 1)
        return None if max(size, len(data)) > most else data


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """The file at ``path``, meanwhile, to be read; OSError where it is a folder, a pipe or a device."""
    # Those may have no end, or none to write to them: to open one must not wait.
    with open(os.open(path, os.O_RDONLY | _NO_WAITING), "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISDIR(mode):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(mode):
            raise OSError(errno.EINVAL, _NO_FILE)
        yield file


_NO_FILE = "not a regular file"


def parse_json(data: bytes, where: str, remedy: str = RECORD_AGAIN) -> Any:
    """The JSON value in ``data``; RunFileError, which begins with ``where``, where it holds none."""
    refuse_many_values(data, where)
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_object_without_duplicates)
    except _DuplicateNameError as error:
        raise RunFileError(f"{where} has the field {error.args[0]!a} twice in one object. {remedy}") from None
    except (ValueError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError) and _is_of_another_kind(data, error.pos):
            raise RunFileError(f"{where} holds no JSON, as files of results do. Check the path.") from None
        raise RunFileError(f"{where} is not whole JSON ({error}). {remedy}") from None


def _is_of_another_kind(data: bytes, wrong: int) -> bool:
    """Whether ``data`` never was JSON, by the place of what is ``wrong``; TOML may begin with brackets."""
    return data[:1] != b"{" and wrong <= len(data) - len(data.lstrip(b"[")) < len(data)


def refuse_many_values(data: bytes, where: str) -> None:
    """RunFileError where ``data`` would take far more memory than its length, before it has taken any."""
    values = sum(map(data.count, (b",", b"[", b"{")))
    if values > max(_FEW_VALUES, min(_MOST_VALUES, len(data) // _SHORTEST_VALUE)):
        raise RunFileError(f"{where} has some {values} values, more than a file of results. Check the path.")


@contextmanager
def without_collection() -> Iterator[None]:
    """Look for no cycles: reading makes none, and the search takes a third of a large file's time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


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

    A file that was there lends its permissions, and a link is followed unless another user has laid it.
    RunFileError where it cannot be written; then nothing has changed.
    """
    try:
        _replace(_led_to(path), text.encode("utf-8"))
    except OSError as error:
        raise RunFileError(
            f"{path} cannot be written ({error.strerror}). "
            "Give the path of a file in a folder that is there and that you may write to."
        ) from error


def make_folder_of(path: Path) -> None:
    """Make the folder that ``path`` is to be in; where that cannot be, writing says why."""
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)


def _led_to(path: Path) -> Path:
    """Where ``path`` leads; OSError where that is by a link of another user, as in a folder of all."""
    for _ in range(_MOST_LINKS):
        if not path.is_symlink():
            # The links on the way to it are the system's to judge: it opens a file in this folder.
            return path
        # Windows has no such folder of all, nor numbers for users.
        if hasattr(os, "geteuid") and path.lstat().st_uid not in (os.geteuid(), _ROOT):
            raise OSError(errno.EPERM, "it is a link that another user has laid")
        path = path.parent / path.readlink()
    raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))


_ROOT = 0
_MOST_LINKS = 40


def _replace(target: Path, data: bytes) -> None:
    mode = _mode(target)
    temporary = target.parent / f".whq-{os.getpid()}-{secrets.token_hex(4)}.tmp"
    # Not tempfile.mkstemp: its files are for their owner only, whatever the umask says.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | BINARY, 0o666)
    try:
        with open(descriptor, "wb") as file:
            if mode is not None and hasattr(os, "fchmod"):
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
        raise OSError(errno.EINVAL, _NO_FILE)
    return stat.S_IMODE(status.st_mode)
