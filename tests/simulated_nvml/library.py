"""The simulated ``libnvidia-ml.so.1``, compiled once per version of its source."""

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from ctypes import POINTER, c_char_p, c_double, c_int, c_uint, c_uint64, c_ulonglong, c_void_p
from pathlib import Path
from typing import Any

SONAME = "libnvidia-ml.so.1"

_SOURCE = Path(__file__).parent
_FILES = ("nvml.c", "readings.c", "driver.c", "calls.h", "model.h")
_FLAGS = ("-shared", "-fPIC", "-O1", "-pthread", f"-Wl,-soname,{SONAME}")


class Process(ctypes.Structure):
    """A process on a GPU: its id and bytes of GPU memory."""

    _fields_ = (("pid", c_uint), ("memory", c_uint64))


_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "simulated_knob_name": (c_char_p, c_int),
    "simulated_class_name": (c_char_p, c_int),
    "simulated_map": (c_void_p, c_char_p),
    "simulated_create": (c_void_p, c_char_p, c_uint, c_uint64, c_double),
    "simulated_unmap": (None, c_void_p),
    "simulated_forget": (None,),
    "simulated_gpu_count": (c_uint, c_void_p),
    "simulated_init_calls": (c_ulonglong, c_void_p),
    "simulated_shutdown_calls": (c_ulonglong, c_void_p),
    "simulated_last_init_pid": (c_uint, c_void_p),
    "simulated_set_init_error": (None, c_void_p, c_int),
    # Addresses of texts in the control file, to be passed on to simulated_set_text.
    "simulated_driver": (c_void_p, c_void_p),
    "simulated_uuid": (c_void_p, c_void_p, c_int),
    "simulated_name": (c_void_p, c_void_p, c_int),
    "simulated_set_text": (None, c_void_p, c_void_p, c_char_p),
    "simulated_knob": (c_double, c_void_p, c_int, c_int),
    "simulated_set_knob": (None, c_void_p, c_int, c_int, c_double),
    "simulated_calls": (c_ulonglong, c_void_p, c_int, c_int),
    "simulated_append": (c_double, c_void_p, c_int, c_double, c_double),
    "simulated_true_energy_j": (c_double, c_void_p, c_int, c_double, c_double),
    "simulated_watts": (c_double, c_void_p, c_int, c_double),
    "simulated_fail": (c_int, c_void_p, c_int, c_uint, c_int, c_double, c_double),
    "simulated_heal": (None, c_void_p, c_int),
    "simulated_set_processes": (None, c_void_p, c_int, c_int, POINTER(Process)),
}


@functools.cache
def folder() -> Path:
    """The folder that holds the compiled library and nothing else, for LD_LIBRARY_PATH."""
    source = b"".join((_SOURCE / name).read_bytes() for name in _FILES)
    digest = hashlib.sha256(source + " ".join(_FLAGS).encode()).hexdigest()[:16]
    built = Path(tempfile.gettempdir()) / f"whq-simulated-nvml-{os.getuid()}-{digest}"
    if not (built / SONAME).exists():
        built.mkdir(mode=0o700, exist_ok=True)
        # Workers may compile at once: each into a folder of its own, and the last rename wins.
        with tempfile.TemporaryDirectory(dir=built.parent) as own:
            made = Path(own) / SONAME
            sources = [str(_SOURCE / name) for name in _FILES if name.endswith(".c")]
            subprocess.run(["cc", *_FLAGS, "-o", str(made), *sources, "-lm"], check=True)
            made.replace(built / SONAME)
    return built


@functools.cache
def load() -> ctypes.CDLL:
    """The library in this process, where pynvml then finds it by its soname."""
    library = ctypes.CDLL(str(folder() / SONAME), mode=ctypes.RTLD_GLOBAL)
    for name, (result, *arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def names(table: str) -> tuple[str, ...]:
    """The names of the library's table ``knob`` or ``class``, each at its number."""
    function = getattr(load(), f"simulated_{table}_name")
    found: list[str] = []
    while name := function(len(found)):
        found.append(name.decode())
    return tuple(found)
